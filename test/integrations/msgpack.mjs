// As much of MessagePack as a Datadog tracer sends to its agent.
export function decode(buffer) {
  let at = 0;
  const take = (bytes) => {
    at += bytes;
    return buffer.subarray(at - bytes, at);
  };
  const uint = (bytes) => {
    const part = take(bytes);
    return bytes === 8 ? part.readBigUInt64BE() : part.readUIntBE(0, bytes);
  };
  const text = (length) => take(length).toString();
  const list = (length) => Array.from({ length }, value);
  const map = (length) => Object.fromEntries(Array.from({ length }, () => [value(), value()]));
  function value() {
    const type = uint(1);
    if (type < 0x80) return type;
    if (type < 0x90) return map(type & 0x0f);
    if (type < 0xa0) return list(type & 0x0f);
    if (type < 0xc0) return text(type & 0x1f);
    if (type >= 0xe0) return type - 0x100;
    switch (type) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return take(uint(1));
      case 0xc5:
        return take(uint(2));
      case 0xc6:
        return take(uint(4));
      case 0xca:
        return take(4).readFloatBE();
      case 0xcb:
        return take(8).readDoubleBE();
      case 0xcc:
        return uint(1);
      case 0xcd:
        return uint(2);
      case 0xce:
        return uint(4);
      case 0xcf:
        return uint(8);
      case 0xd0:
        return take(1).readInt8();
      case 0xd1:
        return take(2).readInt16BE();
      case 0xd2:
        return take(4).readInt32BE();
      case 0xd3:
        return take(8).readBigInt64BE();
      case 0xd9:
        return text(uint(1));
      case 0xda:
        return text(uint(2));
      case 0xdb:
        return text(uint(4));
      case 0xdc:
        return list(uint(2));
      case 0xdd:
        return list(uint(4));
      case 0xde:
        return map(uint(2));
      case 0xdf:
        return map(uint(4));
      default:
        throw new Error(`type ${type.toString(16)} at ${at}`);
    }
  }
  return value();
}
