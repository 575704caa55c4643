import protobuf from 'protobufjs';

const LENGTH_DELIMITED = 2;

/**
 * A Protocol Buffers message with other contents in some of its fields; all else stays, byte for byte, known or not.
 *
 * @param edit gets the number and the contents of each field that has a length (messages and strings), and answers what it
 *   shall hold
 */
export function editMessage(
  bytes: Uint8Array,
  edit: (field: number, contents: Uint8Array) => Uint8Array,
): Uint8Array {
  const reader = protobuf.Reader.create(bytes);
  const parts: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    if ((tag & 7) !== LENGTH_DELIMITED) {
      reader.skipType(tag & 7);
      parts.push(bytes.subarray(start, reader.pos));
      continue;
    }
    const contents = reader.bytes();
    const edited = edit(tag >>> 3, contents);
    parts.push(
      edited === contents
        ? bytes.subarray(start, reader.pos)
        : protobuf.Writer.create().uint32(tag).bytes(edited).finish(),
    );
  }
  return Buffer.concat(parts);
}
