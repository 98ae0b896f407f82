// `netlab completions SHELL`: a few lines of glue for the shell. The shell asks netlab itself what fits, so nothing has to be
// generated anew when commands change.

import { exercises } from "../exercises/registry.ts";
import type { OptionSpec } from "../exercises/options.ts";
import { NetlabError } from "../protocol/errors.ts";
import { positionalsOf } from "./args.ts";
import { type Command, findCommand } from "./command.ts";
import { COLOR_OPTION, HELP_OPTION } from "./common_options.ts";

/**
 * What the glue calls: `netlab complete -- WORD … LAST`. It is no command, so help does not show it. It prints the words that
 * fit; its exit status says whether a file may stand there, whose name the shell knows how to complete.
 */
export const COMPLETE = "complete";
export const WORDS_ONLY = 0;
export const FILES_TOO = 1;
/** How help calls a value that is the name of a file or a folder, or may be one. */
const TAKES_FILE = /(^|\|)(FILE|DIR)/;

const GLUE: Readonly<Record<string, string>> = {
  bash: `_netlab() {
  local IFS=$'\\n'
  if COMPREPLY=($(netlab ${COMPLETE} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)); then
    compopt +o default 2>/dev/null
  fi
}
complete -o default -F _netlab netlab
`,
  zsh: `#compdef netlab
_netlab() {
  local -a candidates
  local -i files
  candidates=("\${(@f)$(netlab ${COMPLETE} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}") || files=1
  [[ -z "\${candidates[1]}" ]] || compadd -- "\${candidates[@]}"
  if (( files )); then compset -P '--*='; _files; fi
}
if [[ "\${funcstack[1]}" == _netlab ]]; then _netlab "$@"; else compdef _netlab netlab; fi
`,
  fish: `function __netlab_complete
  set -l word (commandline -ct)
  if not netlab ${COMPLETE} -- (commandline -opc)[2..-1] "$word" 2>/dev/null
    set -l option (string match -r '^--[^=]*=' -- "$word")
    set -l path (string replace -r '^--[^=]*=' '' -- "$word")
    string join \\n -- "$option"(__fish_complete_path "$path")
  end
end
complete -c netlab -f -a '(__netlab_complete)'
`,
  powershell: `Register-ArgumentCompleter -Native -CommandName netlab -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  if ($wordToComplete -eq '') { $words += '""' }
  $found = @(netlab ${COMPLETE} -- @words 2>$null)
  if ($found) { $found | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) } }
  elseif ($LASTEXITCODE -eq ${WORDS_ONLY}) { '' } # nothing at all, and PowerShell would offer files
}
`,
};

const INSTALL: Readonly<Record<string, string>> = {
  bash: 'eval "$(netlab completions bash)"           in ~/.bashrc',
  zsh: 'eval "$(netlab completions zsh)"            in ~/.zshrc, after compinit',
  fish: "netlab completions fish | source            in ~/.config/fish/config.fish",
  powershell: "netlab completions powershell | Out-String | Invoke-Expression   in $PROFILE",
};

export const completions: Command = {
  name: "completions",
  summary: "print what a shell needs to complete netlab's words",
  usage: "bash|zsh|fish|powershell",
  maxWords: 1,
  details: ["To switch it on:", ...Object.values(INSTALL).map((line) => `  ${line}`)].join("\n"),
  options: () => [COLOR_OPTION, HELP_OPTION],
  examples: () => [],
  nextWords: (words) => words.length === 0 ? Object.keys(GLUE) : [],
  run({ output, words }) {
    const [shell] = words;
    const [, glue] = Object.entries(GLUE).find(([name]) => name === shell) ?? [];
    if (glue === undefined) {
      const what = shell === undefined ? "no shell given" : `no such shell: ${shell}`;
      throw new NetlabError("usage", what, { hint: `one of ${Object.keys(GLUE).join(", ")}` });
    }
    output.out.text(glue);
  },
};

/**
 * What may stand where the last of `words` is being typed.
 *
 * @param words what follows `netlab`, the last one perhaps empty
 */
export async function complete(words: readonly string[], commands: readonly Command[]): Promise<string[]> {
  const typed = joinValues(words.map((word) => word === '""' ? "" : word));
  const last = typed.at(-1) ?? "";
  // Of --wire=li, bash replaces only what is behind the =.
  const kept = words.at(-1) === "=" ? last.length : Math.max(0, last.length - (words.at(-1) ?? "").length);
  const candidates = await candidatesFor(typed.slice(0, -1), last, commands);
  return candidates.filter((candidate) => candidate.startsWith(last)).map((candidate) => candidate.slice(kept));
}

/** Joins what bash takes apart: `--wire`, `=`, `line`, and `[`, `::`, `1]`, `:`, `9002`. */
function joinValues(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const word of words) {
    const before = joined.at(-1) ?? "";
    const isValue = before.startsWith("--") && (word === "=" || before.endsWith("="));
    const isAddress = before !== "" && (word === ":" || before.endsWith(":") || /^\[[\da-f:]*$/i.test(before));
    if (isValue || isAddress) joined.push(joined.pop() + word);
    else joined.push(word);
  }
  return joined;
}

/** The words before the one being typed, understood. */
function read([name, ...behind]: string[], last: string, commands: readonly Command[]) {
  const command = findCommand(commands, name ?? "");
  const options = command?.options(positionalsOf(behind, allOptions(command))) ?? [];
  const before = options.find((spec) => `--${spec.name}` === behind.at(-1));
  const needed = before && before.type !== "flag" && before.bare === undefined ? before : undefined;
  const assigned = options.find((spec) => last.startsWith(`--${spec.name}=`));
  return { name, command, options, needed, assigned, words: positionalsOf(behind, options) };
}

async function candidatesFor(behind: string[], last: string, commands: readonly Command[]): Promise<string[]> {
  const { name, command, options, needed, assigned, words } = read(behind, last, commands);
  if (name === undefined) return [...commands.map((command) => command.name), "--help"];
  if (needed) return await valuesOf(needed);
  if (assigned) return (await valuesOf(assigned)).map((choice) => `--${assigned.name}=${choice}`);
  if (last.startsWith("-")) return options.map((spec) => `--${spec.name}`);
  return [...command?.nextWords(words, commands) ?? []];
}

async function valuesOf({ choices, candidates }: OptionSpec): Promise<string[]> {
  return [...choices ?? await candidates?.() ?? []];
}

/** Whether the last of `words`, as `complete` takes them, may be the name of a file or a folder. */
export function mayBeFile(words: readonly string[], commands: readonly Command[]): boolean {
  const typed = joinValues(words);
  const last = typed.at(-1) ?? "";
  const { command, needed, assigned, words: behind } = read(typed.slice(0, -1), last, commands);
  const option = needed ?? assigned;
  if (option) return TAKES_FILE.test(option.value ?? "");
  return !last.startsWith("-") && (command?.takesFile?.(behind) ?? false);
}

/** A command's options whatever the exercise: enough to tell values from words before the exercise is known. */
export function allOptions(command: Command): OptionSpec[] {
  return [...command.options([]), ...exercises.flatMap((exercise) => command.options([exercise.name]))];
}
