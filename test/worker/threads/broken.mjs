throw new RangeError("it cannot even be loaded");
