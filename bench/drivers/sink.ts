/** Takes in every item that comes out, so that no take is optimised away. */
export const sink = { sum: 0 };
