// The checksum of Ethernet, zip and PNG (CRC-32/ISO-HDLC, reflected polynomial 0xEDB88320): the built-in one, which is pure and
// some forty times faster than a table.

import { crc32 as zlibCrc32 } from "node:zlib";

/**
 * The CRC-32 of `bytes`.
 *
 * @param before the CRC of what stands before them, so that a checksum can be taken in parts
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  return zlibCrc32(bytes, before);
}
