// A client of the operator: what is typed is sent, what comes is shown.

import { openChannel, TextClient } from "../client.ts";
import type { ConnectContext } from "../exercise.ts";
import { isError, MAX_TEXT } from "../text.ts";

/** Runs the client to its end. */
export async function connectMultitalk(context: ConnectContext): Promise<void> {
  // With --relay, a label stands before what may already have the full length; and escapes make it longer.
  await new Multitalk(await openChannel(context, 16 * MAX_TEXT), context).run();
}

class Multitalk extends TextClient {
  protected override readonly sendsBlank = true;

  protected override begin(): Promise<void> {
    this.console.note(`connected to ${this.address}; each line is a message to the operator (end with Ctrl-D)`);
    return Promise.resolve();
  }

  protected override async say(line: string): Promise<void> {
    if (this.send(line)) await this.pace();
  }

  protected override async leave(): Promise<void> {
    this.leaving = true;
    await this.channel.closeWrite();
  }

  protected override show(text: string): void {
    if (isError(text)) this.refusals++;
    this.console.print(text, { event: isError(text) ? "error" : "message", text });
  }
}
