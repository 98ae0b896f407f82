// One binary: `deno bundle` and `deno compile` of main.ts with the permissions of deno.json, tried out before it gets its name.
// compile.ts makes this platform's, release.ts everybody's.
//
// Environment: NETLAB_COMPILE_DENO is the Deno that compiles (default: the one that runs this). DENORT_BIN is the runtime
// base to build on, read by `deno compile`, which otherwise downloads one; it is taken to be for this platform.

import config from "../deno.json" with { type: "json" };

/** The version that the binaries carry. */
export const version: string = config.version;

/** A Deno that compiles. */
export interface Compiler {
  path: string;
  version: string;
}

/**
 * Why there is no binary, in one line, and perhaps what to do next. The exit status is 1 when netlab is at fault, 3 when
 * the environment is. `cause` has what the compiler printed, where it is more.
 */
export class BuildError extends Error {
  constructor(readonly status: 1 | 3, message: string, readonly hint?: string, cause?: string) {
    super(message, { cause });
  }
}

/** `name` as a program is called on `target` (a triple such as `x86_64-unknown-linux-gnu`). */
export function executable(name: string, target: string = Deno.build.target): string {
  return target.includes("windows") ? `${name}.exe` : name;
}

/** The Deno to compile with. One from npm is a script around the program: the program is asked for, as it can be stopped. */
export async function findCompiler(): Promise<Compiler> {
  const path = Deno.env.get("NETLAB_COMPILE_DENO");
  if (!path) return { path: Deno.execPath(), version: Deno.version.deno };
  const script = "console.log(JSON.stringify({ path: Deno.execPath(), version: Deno.version.deno }))";
  const { success, stdout } = await run(path, ["eval", "--no-config", script], { env: quietEnvironment() });
  if (!success) throw new BuildError(3, `NETLAB_COMPILE_DENO is not a Deno that works: ${path}`);
  return JSON.parse(stdout);
}

/**
 * Makes `folder/name` for `target` and returns its size in bytes. What is there already stays until the new one works.
 *
 * @throws {BuildError} when it can't be made, takes longer than `limitMs`, or doesn't run (tried on this platform only)
 */
export async function build(
  compiler: Compiler,
  folder: string,
  name: string,
  { target = Deno.build.target, limitMs }: { target?: string; limitMs?: number } = {},
): Promise<number> {
  await Deno.mkdir(folder, { recursive: true });
  const work = await Deno.realPath(await Deno.makeTempDir({ dir: folder, prefix: ".build-" }));
  try {
    const binary = `${work}/${name}`;
    const entry = await bundle(work);
    await compile(compiler, entry, binary, target, limitMs);
    if (target === Deno.build.target) await tryOut(binary);
    await putInPlace(binary, `${folder}/${name}`);
    return (await Deno.stat(`${folder}/${name}`)).size;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** @throws {BuildError} as on Windows, where what runs cannot be replaced */
async function putInPlace(from: string, to: string): Promise<void> {
  try {
    await Deno.rename(from, to);
  } catch (error) {
    throw new BuildError(3, `can't replace ${to}: ${(error as Error).message}`, "is it running?");
  }
}

/**
 * Makes few files of the many, since a program reads and starts them sooner: one of all that every command needs, and one of
 * each that is loaded only when it is needed.
 *
 * @param work an empty folder, as a full path
 * @returns the file to compile: main.ts itself where the bundler, which comes from npm, cannot be had
 */
async function bundle(work: string): Promise<string> {
  const source = `${work}/source`;
  await copySource(source);
  const args = ["--platform", "deno", "--code-splitting", "--outdir", `${work}/bundle`, "main.ts"];
  const failure = await runBundler(args, source);
  if (failure !== null) {
    console.error(`not bundled, so it will start more slowly: ${failure}`);
    return "main.ts";
  }
  await minifyLibraries(`${work}/bundle`);
  return `${work}/bundle/main.js`;
}

/**
 * Copies what is bundled. In the copy, each file that is loaded later imports what is loaded first: the bundler makes a file
 * of what the same others share, so that what is loaded first becomes one file, and not forty.
 */
async function copySource(folder: string): Promise<void> {
  const first = "lib/cli/main.ts";
  const texts = new Map<string, string>();
  for (const name of ["deno.json", "deno.lock", "main.ts"]) texts.set(name, await Deno.readTextFile(name));
  for await (const name of filesBelow("lib")) texts.set(name, await Deno.readTextFile(name));
  const base = "file:///";
  const later = new Set(
    [...texts].flatMap(([name, text]) =>
      [...text.matchAll(/\bimport\("(\.[^"]+)"\)/g)].map(([, path]) =>
        new URL(path, base + name).href.slice(base.length)
      )
    ),
  );
  for (const [name, text] of texts) {
    const folders = name.split("/").slice(0, -1);
    await Deno.mkdir([folder, ...folders].join("/"), { recursive: true });
    const line = later.has(name) ? `import "${"../".repeat(folders.length)}${first}";\n` : "";
    await Deno.writeTextFile(`${folder}/${name}`, line + text);
  }
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesBelow(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}

/** A program reads all of itself at each start. What is netlab's own stays as it is, to tell where something arose. */
async function minifyLibraries(folder: string): Promise<void> {
  const shared = "chunk-"; // so the bundler calls what several files import
  const count = (text: string, modules: RegExp) => text.match(modules)?.length ?? 0;
  const minify = async ({ name }: Deno.DirEntry) => {
    const path = `${folder}/${name}`;
    const text = await Deno.readTextFile(path);
    const isOurs = count(text, /^\/\/ lib\/.*$/gm) >= count(text, /^\/\/ .*\/npm\/.*$/gm);
    if (isOurs || name.startsWith(shared)) return null;
    const args = ["--platform", "deno", "--minify", "--external", `./${shared}*`, "--output", path, name];
    return await runBundler(args, folder);
  };
  const failures = await Promise.all((await Array.fromAsync(Deno.readDir(folder))).map(minify));
  const failure = failures.find((one) => one !== null);
  if (failure) throw new BuildError(1, `a library cannot be minified: ${failure}`);
}

/** @returns why there is no bundle, in a line */
async function runBundler(args: readonly string[], cwd: string): Promise<string | null> {
  const { success, stderr } = await run(Deno.execPath(), ["bundle", "--quiet", ...args], {
    env: quietEnvironment(),
    cwd,
  });
  return success ? null : stderr.split("\n")[0];
}

async function compile(
  compiler: Compiler,
  entry: string,
  output: string,
  target: string,
  limitMs?: number,
): Promise<void> {
  const env = quietEnvironment();
  const args = ["compile", "--quiet", "--config", "deno.json", "-P", "--output", output];
  if (target !== Deno.build.target) {
    args.push("--target", target);
    delete env.DENORT_BIN; // it would be used all the same, and give a program for the wrong platform
  }
  const signal = limitMs === undefined ? undefined : AbortSignal.timeout(limitMs);
  const { success, stderr } = await run(compiler.path, [...args, entry], { env, signal });
  if (success) return;
  if (signal?.aborted) throw new BuildError(3, `not done after ${limitMs! / 1000} s`);
  if (/Setting up base binary|Could not find denort/.test(stderr)) {
    throw new BuildError(
      3,
      `no runtime base of Deno ${compiler.version} for ${target}: ${lastCause(stderr)}`,
      "compile where it can be downloaded, or set NETLAB_COMPILE_DENO and DENORT_BIN (README.md says how)",
    );
  }
  const message = /^error: (.*)/m.exec(stderr)?.[1] ?? "deno compile failed";
  throw new BuildError(1, message, undefined, stderr);
}

/** Runs the new binary: one on a base of another version of Deno is made without complaint, and starts nothing. */
async function tryOut(binary: string): Promise<void> {
  const { success, stdout, stderr } = await run(await Deno.realPath(binary), ["--version"], {
    signal: AbortSignal.timeout(30_000),
  });
  if (success && stdout.includes(version)) return;
  const base = Deno.env.get("DENORT_BIN");
  throw new BuildError(
    base ? 3 : 1,
    `the new binary does not answer --version with ${version}: ${(stderr || stdout).split("\n")[0] || "no answer"}`,
    base && "DENORT_BIN must be a runtime base for this platform and fit the Deno that compiles (NETLAB_COMPILE_DENO)",
  );
}

interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  signal?: AbortSignal;
}

async function run(command: string, args: string[], { env, cwd, signal }: RunOptions) {
  try {
    const output = await new Deno.Command(command, { args, env, cwd, clearEnv: !!env, signal, stdin: "null" }).output();
    const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
    return { success: output.success, stdout, stderr };
  } catch (error) {
    throw new BuildError(3, `can't run ${command}: ${(error as Error).message}`);
  }
}

/** The environment, with what makes Deno's diagnostics plain. */
function quietEnvironment(): Record<string, string> {
  return { ...Deno.env.toObject(), NO_COLOR: "1", RUST_BACKTRACE: "0" };
}

/** The innermost cause of a Deno error: the last line numbered under `Caused by:` (`    4: name not known`). */
function lastCause(stderr: string): string {
  const causes = [...stderr.split("Stack backtrace")[0].matchAll(/^ +\d+: (.*)/gm)];
  return causes.at(-1)?.[1] ?? stderr.split("\n")[0];
}
