import { languageOf } from '../parse/language.js';
import { parseSyntax, type Node } from '../parse/syntax.js';
import { argumentsOf, keyOf, lineOfNode, memberOf, stringValue } from '../stack/javascript-values.js';
import { pythonArguments, pythonString } from '../stack/python-values.js';
import { isTestPath } from '../stack/source-facts.js';
import type { SourceTree } from '../tree/source-tree.js';

/** A flag that a program of the tree takes. */
export interface Flag {
  /** With its hyphens: `--port`. */
  readonly name: string;
  /** `-p`, when it has a short form. */
  readonly short: string | undefined;
  /** `PORT` of `--port <PORT>`; undefined for a switch and where it can't be told. */
  readonly value: string | undefined;
  readonly description: string | undefined;
  readonly path: string;
  readonly line: number;
}

export interface ProgramFlags {
  readonly flags: readonly Flag[];
  /** Files that take flags in a way that is not understood: their programs may take others. */
  readonly open: readonly string[];
}

const HINT =
  /\.(option|requiredOption|addOption|options)\(|parseArgs|minimist|\bmri\b|\bmeow\b|\barg\(|add_argument|click\.|@\w+\.option|typer|\bflag\.\w+\(|Flags\(\)/;
/** Reading the words of the command line by hand. */
const BY_HAND = /process\.argv\b(?!\s*\[\s*1\s*\])|sys\.argv\b|Bun\.argv|Deno\.args|os\.Args/;
const LIBRARY =
  /commander|yargs|cac|parseArgs|minimist|\bmri\b|meow|sade|citty|clipanion|oclif|argparse|click|typer|docopt|fire|cobra|"flag"|pflag/;
const MAX_SOURCE_BYTES = 512 * 1024;

/** Reads the flags of programs from the code that declares them. Throws `execution_cancelled` on abort. */
export async function programFlags(tree: SourceTree, signal?: AbortSignal): Promise<ProgramFlags> {
  const flags: Flag[] = [];
  const open: string[] = [];
  for (const file of tree.files) {
    if (!file.utf8 || isTestPath(file.path) || /\.d\.[cm]?ts$|\.min\.js$/.test(file.path)) continue;
    const language = languageOf(file.path);
    const isGo = file.path.endsWith('.go');
    if ((language === undefined || language === 'dockerfile') && !isGo) continue;
    await tree.breathe(signal);
    const text = tree.text(file, MAX_SOURCE_BYTES);
    if (text === undefined) continue;
    if (BY_HAND.test(text) && !LIBRARY.test(text)) open.push(file.path);
    if (!HINT.test(text)) continue;
    if (isGo) flags.push(...goFlags(file.path, text));
    else if (language === 'python') flags.push(...pythonFlags(file.path, text));
    else if (language !== undefined && language !== 'dockerfile')
      flags.push(...javaScriptFlags(file.path, language, text));
  }
  return { flags, open };
}

type Spot = Pick<Flag, 'path' | 'line'>;

/** `-p, --port <number>` as commander and cac write it. */
function fromPattern(pattern: string, description: string | undefined, at: Spot): Flag[] {
  const long = /(--(?:\[no-\])?[A-Za-z0-9][\w.-]*)/.exec(pattern)?.[1];
  const short = /(?:^|[\s,|])(-[A-Za-z0-9?])(?=$|[\s,|])/.exec(pattern)?.[1];
  const value = /[<[]([^\]>]+)[\]>]/.exec(pattern.replace('--[no-]', '--'))?.[1];
  const name = long?.replace('[no-]', '') ?? short;
  return name === undefined ? [] : [{ name, short: long === undefined ? undefined : short, value, description, ...at }];
}

function javaScriptFlags(
  path: string,
  language: Exclude<ReturnType<typeof languageOf>, undefined | 'dockerfile'>,
  text: string,
): Flag[] {
  const root = parseSyntax(language, text);
  const flags: Flag[] = [];
  const isYargs = /yargs|@oclif|sade/.test(text);
  // Of a chain the outermost call, which is the last, is found first.
  const calls = root
    .findAll({ rule: { any: [{ kind: 'call_expression' }, { kind: 'new_expression' }] } })
    .sort((a, b) => argumentsStart(a) - argumentsStart(b));
  for (const call of calls) {
    const callee = call.field('function') ?? call.field('constructor');
    const name = callee?.is('member_expression') ? callee.field('property')?.text() : callee?.text();
    const args = argumentsOf(call);
    const [first, second] = args;
    const at = { path, line: lineOfNode(call) };
    const literal = stringValue(first);
    if (/^(option|requiredOption|Option|createOption|addOption)$/.test(name ?? '') && literal !== undefined) {
      if (/^\s*-/.test(literal)) flags.push(...fromPattern(literal, stringValue(second), at));
      else if (isYargs && /^[A-Za-z][\w-]*$/.test(literal)) flags.push(fromObject(literal, second, at));
    } else if (name === 'options' && isYargs && first?.is('object'))
      flags.push(...members(first).map(([key, value]) => fromObject(key, value, { path, line: lineOfNode(value) })));
    else if (/^(parseArgs|meow)$/.test(name ?? '')) {
      const config = args.find((one) => one.is('object'));
      const options = config && memberOf(config, name === 'meow' ? 'flags' : 'options');
      const object = options?.is('identifier') ? valueOf(root, options.text()) : options;
      if (object)
        flags.push(
          ...members(object).map(([key, value]) =>
            fromObject(name === 'meow' ? kebab(key) : key, value, { path, line: lineOfNode(value) }),
          ),
        );
    } else if (/^(minimist|mri)$/.test(name ?? '') && second?.is('object')) {
      for (const kind of ['string', 'boolean'])
        for (const one of memberOf(second, kind)?.namedChildren() ?? []) {
          const flag = stringValue(one);
          if (flag !== undefined && flag.length > 1)
            flags.push({
              name: `--${flag}`,
              short: undefined,
              value: kind === 'string' ? 'value' : undefined,
              description: undefined,
              path,
              line: lineOfNode(one),
            });
        }
    } else if (name === 'arg' && first?.is('object')) {
      for (const [key, value] of members(first))
        if (key.startsWith('--'))
          flags.push({
            name: key,
            short: undefined,
            value: undefined,
            description: undefined,
            path,
            line: lineOfNode(value),
          });
    }
  }
  return flags;
}

function argumentsStart(call: Node): number {
  return (call.field('arguments') ?? call).range().start.index;
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function members(object: Node): [string, Node][] {
  return object.namedChildren().flatMap((pair): [string, Node][] => {
    const key = pair.is('pair') ? keyOf(pair) : undefined;
    const value = pair.is('pair') ? pair.field('value') : null;
    return key === undefined || !value ? [] : [[key, value]];
  });
}

function valueOf(root: Node, name: string): Node | undefined {
  const declarator = root
    .findAll({ rule: { kind: 'variable_declarator' } })
    .find((one) => one.field('name')?.text() === name);
  const value = declarator?.field('value');
  return (value?.is('object') ? value : value?.find({ rule: { kind: 'object' } })) ?? undefined;
}

function fromObject(key: string, value: Node | undefined, at: Spot): Flag {
  const object = value?.is('object') ? value : value?.find({ rule: { kind: 'object' } });
  const member = (name: string): string | undefined => (object ? stringValue(memberOf(object, name)) : undefined);
  const short = member('short') ?? member('alias') ?? member('shortFlag');
  const kind = member('type');
  return {
    name: `--${key}`,
    short: short !== undefined && short.length === 1 ? `-${short}` : undefined,
    value: kind === undefined || kind === 'boolean' || kind === 'count' ? undefined : kind,
    description: member('describe') ?? member('description') ?? member('desc'),
    ...at,
  };
}

function pythonFlags(path: string, text: string): Flag[] {
  const root = parseSyntax('python', text);
  return root.findAll({ rule: { kind: 'call' } }).flatMap((call): Flag[] => {
    const callee = call.field('function')?.text() ?? '';
    const method = callee.split('.').at(-1) ?? '';
    const isOption =
      method === 'add_argument' || method === 'option' || callee === 'typer.Option' || callee === 'Option';
    if (!isOption) return [];
    const args = pythonArguments(call);
    const names = args.positional
      .flatMap((one) => pythonString(one) ?? [])
      .flatMap((one) => one.split('/'))
      .map((one) => one.trim());
    const long = names.filter((one) => one.startsWith('--'));
    const short = names.find((one) => /^-[^-]$/.test(one));
    const action = args.named.get('action')?.text() ?? '';
    const isSwitch =
      /store_(true|false|const)|count|version|help|BooleanOptional/.test(action) ||
      args.named.get('is_flag')?.text() === 'True' ||
      names.some((one) => one.startsWith('--no-'));
    const metavar = pythonString(args.named.get('metavar'));
    const description = pythonString(args.named.get('help'));
    const line = call.range().start.line + 1;
    return long.map((name, i) => ({
      name,
      short: i === 0 ? short : undefined,
      value: isSwitch ? undefined : (metavar ?? name.slice(2).toUpperCase().replaceAll('-', '_')),
      description,
      path,
      line,
    }));
  });
}

/** `flag.Int("port", 8080, "the port")`, `flags.StringVarP(&name, "name", "n", "", "…")`. Go is read by its form: no grammar of it is loaded here. */
function goFlags(path: string, text: string): Flag[] {
  const flags: Flag[] = [];
  const pattern =
    /\.(Bool|Int|Int64|Uint|Uint64|String|Float64|Duration|StringSlice|StringArray|Count)(Var)?(P)?\(\s*(?:&[\w.]+\s*,\s*)?"([A-Za-z][\w.-]*)"(?:\s*,\s*"([^"]*)")?[^\n]*?(?:"([^"\n]*)")?\s*\)/g;
  for (const match of text.matchAll(pattern)) {
    const [, kind = '', , short, name = '', letter, help] = match;
    flags.push({
      name: /\bpflag\b|cobra/.test(text) ? `--${name}` : `-${name}`,
      short: short === undefined || letter === undefined || letter === '' ? undefined : `-${letter}`,
      value: kind === 'Bool' || kind === 'Count' ? undefined : kind.toLowerCase(),
      description: help,
      path,
      line: text.slice(0, match.index).split('\n').length,
    });
  }
  return flags;
}
