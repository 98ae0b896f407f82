// Between a frame and a message.

import type { ByteQueue } from "./byte_queue.ts";

/** Turns frames into messages of type `In` and messages of type `Out` into frames (the two ends of a protocol swap them). */
export interface Codec<In, Out = In> {
  /**
   * Reads one frame. The bytes are a view that is valid only during the call.
   *
   * @throws {ProtocolError} when the frame is not a message.
   */
  decode(frame: Uint8Array): In;
  /**
   * The body of a frame. A string stands for its UTF-8 form.
   *
   * @throws {ProtocolError} of side `local` for what can be none
   */
  encode(message: Out): Uint8Array | string;
  /** A frame in writing, for the trace, where it is no text. */
  describe?(frame: Uint8Array): string;
  /**
   * What of bytes that have just come in may be shown, where some must not: as many, with others in place of a password.
   *
   * @param waiting what has not been cut yet; `bytes` are its last ones
   */
  conceal?(bytes: Uint8Array, waiting: ByteQueue): Uint8Array;
}
