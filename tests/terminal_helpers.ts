// A real terminal for the tests: tmux keeps the screen; keys go in, and what a person would see comes out.

import { environment, NETLAB } from "./cli_helpers.ts";
import { skipIf, skipUnless, type TestOptions } from "./helpers.ts";

const PATIENCE_MS = 30_000;

/** For the third argument of `test`: tests in a terminal need tmux, and perhaps more programs. */
export function needsTmux(...programs: string[]): TestOptions {
  if (Deno.build.os === "windows") return skipIf("there is no tmux on Windows");
  return { ignore: ["tmux", ...programs].map(skipUnless).some(({ ignore }) => ignore) };
}

/** How a terminal begins. */
export interface ScreenOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A terminal in which a shell script runs; it stays open when the script has ended. */
export class Screen implements AsyncDisposable {
  /** Where this terminal's own tmux server has its socket. */
  readonly #folder: string;
  readonly #env: Record<string, string>;

  private constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.#folder = folder;
    this.#env = { ...environment(env), LC_ALL: "C.UTF-8" };
  }

  static async open(script: string, { columns = 60, rows = 14, env = {} }: ScreenOptions = {}): Promise<Screen> {
    const screen = new Screen(await Deno.makeTempDir({ prefix: "netlab-tmux-" }), env);
    const size = ["-x", `${columns}`, "-y", `${rows}`];
    await screen.#tmux("new-session", "-d", ...size, "sh", "-c", `${script}\nexec cat >/dev/null`);
    return screen;
  }

  /** Opens a terminal in which netlab runs; when it has ended, its status and the terminal's modes are shown. */
  static run(line: string, more?: ScreenOptions & { command?: string[] }): Promise<Screen> {
    const command = (more?.command ?? NETLAB).map((word) => `'${word}'`).join(" ");
    const modes = `stty -a | grep -owE -e '-?(icanon|echo|isig)' | sort | xargs echo`;
    // Ctrl-C is for netlab: the shell stays, to show what that made of it.
    return Screen.open(`trap : INT; ${command} ${line}; echo "status $?"; ${modes}`, more);
  }

  /** The same with `netlab connect chat`. */
  static connect(port: number, options: string, more?: ScreenOptions & { command?: string[] }): Promise<Screen> {
    return Screen.run(`connect chat 127.0.0.1:${port} ${options}`, more);
  }

  /** What is on the screen, without the empty rows at the end. */
  async rows(): Promise<string[]> {
    return (await this.#tmux("capture-pane", "-p")).trimEnd().split("\n").map((row) => row.trimEnd());
  }

  /** What is on the screen, with its colours as escape sequences. */
  coloured(): Promise<string> {
    return this.#tmux("capture-pane", "-p", "-e");
  }

  /** Waits until the screen is exactly this. */
  async is(...expected: string[]): Promise<void> {
    await this.#until(expected.join("\n"), (rows) => rows.join("\n") === expected.join("\n"));
  }

  /** Waits until the last rows of the screen are these. */
  async endsWith(...expected: string[]): Promise<void> {
    const end = (rows: string[]) => rows.slice(-expected.length).join("\n");
    await this.#until(`… ${expected.join("\n")}`, (rows) => end(rows) === expected.join("\n"));
  }

  /** Waits until a row of the screen matches. */
  async shows(pattern: RegExp): Promise<void> {
    await this.#until(String(pattern), (rows) => rows.some((row) => pattern.test(row)));
  }

  /** Presses keys as tmux names them (`Up`, `C-c`, `Tab`), all at once. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  /** Types text, all at once. */
  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-l", "--", text);
  }

  /** Changes the size of the window, and waits until the program in it could know: tmux tells it later. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`);
    const tty = (await this.#tmux("display-message", "-p", "#{pane_tty}")).trim();
    await this.#until(`${rows} rows of ${columns}`, async () => {
      const { stdout } = await new Deno.Command("stty", {
        args: [Deno.build.os === "linux" ? "-F" : "-f", tty, "size"],
      }).output();
      return new TextDecoder().decode(stdout) === `${rows} ${columns}\n`;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server");
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #until(what: string, holds: (rows: string[]) => boolean | Promise<boolean>): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const rows = await this.rows();
      if (await holds(rows)) return;
      if (performance.now() > end) throw new Error(`the screen did not become\n${what}\nbut is\n${rows.join("\n")}`);
    }
  }

  async #tmux(...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-u", "-S", `${this.#folder}/socket`, "-f", "/dev/null", ...args],
      clearEnv: true,
      env: this.#env,
    }).output();
    if (!success) throw new Error(`tmux ${args[0]}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }
}
