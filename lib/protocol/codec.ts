// Between a frame and a message.

/** Turns frames into messages of type `In` and messages of type `Out` into frames (the two ends of a protocol swap them). */
export interface Codec<In, Out = In> {
  /**
   * Reads one frame. The bytes are a view that is valid only during the call.
   *
   * @throws {ProtocolError} when the frame is not a message.
   */
  decode(frame: Uint8Array): In;
  /** The body of a frame. A string stands for its UTF-8 form. */
  encode(message: Out): Uint8Array | string;
  /** A frame in writing, for the trace, where it is no text. */
  describe?(frame: Uint8Array): string;
}
