import type { SourceTree } from '../tree/source-tree.js';
import type { DockerFacts } from './containers.js';
import { evidence, fact, lineAt, lineOf, type Fact } from './evidence.js';
import { inFolder } from './manifest.js';
import { asPort, type PortFact, type SourceFacts } from './source-facts.js';

interface Candidate {
  readonly value: string;
  readonly fact: Fact;
  readonly file: string;
}

export interface PortSources {
  readonly tree: SourceTree;
  readonly root: string;
  /** Source files of the component that are not tests. */
  readonly files: readonly SourceFacts[];
  readonly dockerfiles: readonly DockerFacts[];
  /** Path of the file that the component is started with. */
  readonly entryFile: string | undefined;
  resolve(from: string, module: string): string | undefined;
}

const SERVER_DEFAULT = { flask: '5000', uvicorn: '8000' } as const;
const SAMPLES = ['.env.example', '.env.sample', '.env.template', '.env.dist'];

/**
 * The port that the component listens on: what the code opens, EXPOSE of its Dockerfile, PORT of its sample environment, in
 * this order. Where the code opens several, what is reached at start, then the entry point, then EXPOSE decides; otherwise none is named.
 */
export function findPort(sources: PortSources): Fact | undefined {
  const opened = sources.files.flatMap((file) => file.ports.map((port) => candidateOf(sources, file, port)));
  const known = opened.filter((candidate) => candidate !== undefined);
  const exposed = exposedPorts(sources.dockerfiles);
  const chosen = onlyValue(known.filter((one) => one.atStart)) ?? onlyValue(known);
  const [onlyExposed] = exposed;
  if (chosen) {
    const same = exposed.filter(({ value }) => value === chosen.value);
    return fact(chosen.value, ...chosen.evidence, ...same.flatMap((one) => one.evidence));
  }
  if (known.length > 0) {
    const atEntry = onlyValue(known.filter(({ file }) => file === sources.entryFile));
    if (atEntry) return atEntry;
    const confirmed = exposed.find(({ value }) => known.some((one) => one.value === value));
    if (confirmed) return confirmed;
    return undefined;
  }
  if (onlyExposed && exposed.length === 1) return onlyExposed;
  return exposed.length === 0 ? samplePort(sources) : undefined;
}

function onlyValue(candidates: readonly Candidate[]): Fact | undefined {
  const [first] = candidates;
  if (!first || candidates.some(({ value }) => value !== first.value)) return undefined;
  return fact(first.value, ...candidates.flatMap((one) => one.fact.evidence));
}

function candidateOf(
  sources: PortSources,
  file: SourceFacts,
  port: PortFact,
): (Candidate & { atStart: boolean }) | undefined {
  const here = evidence(file.path, lineAt(sources.tree.text(file.path) ?? '', port.line), port.line);
  const atStart = port.atStart;
  if (port.value !== undefined) return { value: port.value, fact: fact(port.value, here), file: file.path, atStart };
  if (port.server !== undefined) {
    if (port.server === 'flask' && !file.imports.some(({ module }) => /^(flask|quart)/.test(module))) return undefined;
    const value = SERVER_DEFAULT[port.server];
    const why = evidence(file.path, `names no port: ${port.server} then listens on ${value}`, port.line);
    return { value, fact: fact(value, why), file: file.path, atStart };
  }
  const { reference } = port;
  if (!reference) return undefined;
  const target = sources.resolve(file.path, reference.module);
  // An alias such as '@/config' is not followed; the only member of that name in the component stands for it.
  const among = target === undefined ? sources.files : sources.files.filter(({ path }) => path === target);
  const names = [reference.name, reference.name.replace(/^\*\./, '')];
  const found = among.flatMap((other) => {
    const name = names.find((one) => other.constants.has(one));
    const constant = name === undefined ? undefined : other.constants.get(name);
    return constant ? [{ ...constant, path: other.path }] : [];
  });
  const [first] = found;
  if (!first || (target === undefined && found.length > 1)) return undefined;
  const there = evidence(first.path, lineAt(sources.tree.text(first.path) ?? '', first.line), first.line);
  return { value: first.value, fact: fact(first.value, there, here), file: file.path, atStart };
}

function exposedPorts(dockerfiles: readonly DockerFacts[]): Fact[] {
  const found = new Map<string, Fact>();
  for (const { path, exposes } of dockerfiles) {
    for (const { value, line } of exposes) {
      if (!found.has(value)) found.set(value, fact(value, evidence(path, `EXPOSE ${value}`, line)));
    }
  }
  return [...found.values()];
}

/** `PORT=4000` of a sample environment, when the code reads PORT. */
function samplePort({ tree, root, files }: PortSources): Fact | undefined {
  if (!files.some((file) => file.environment.some(({ name }) => name === 'PORT'))) return undefined;
  for (const name of SAMPLES) {
    const path = inFolder(root, name);
    const text = tree.text(path, 64 * 1024);
    const value = asPort(/^(?:export\s+)?PORT=["']?(\d+)["']?\s*$/m.exec(text ?? '')?.[1] ?? '');
    if (text !== undefined && value !== undefined) {
      return fact(value, evidence(path, `PORT=${value}`, lineOf(text, /^(?:export\s+)?PORT=/m)));
    }
  }
  return undefined;
}
