// The log: who came, who is who, who left and why. One line each, nothing per message.

import { dim, yellow } from "@std/fmt/colors";
import { escapeText } from "../protocol/text.ts";
import type { Sink } from "./bus.ts";
import { clockTime, Labels } from "./format.ts";

/** A sink for the server's log. @param write takes one line without its end */
export function logSink(write: (line: string) => void): Sink {
  const labels = new Labels();
  return {
    kinds: ["open", "close", "label", "note", "warning"],
    event(event, at) {
      const before = "id" in event ? labels.of(event.id) : "";
      labels.learn(event);
      const line = (text: string) => write(`${dim(clockTime(at))} ${escapeText(text)}`);
      if (event.type === "open") line(`${event.remote} connected`);
      else if (event.type === "label") line(`${before} is now ${event.label}`);
      else if (event.type === "close") line(`${before} left: ${event.reason}`);
      else if (event.type === "note") line(`${before}${before && ": "}${event.text}`);
      else if (event.type === "warning") write(`${dim(clockTime(at))} ${yellow(`warning: ${escapeText(event.text)}`)}`);
      if (event.type === "close") labels.forget(event.id);
    },
  };
}
