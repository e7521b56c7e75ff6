import { parseDockerfile, type DockerInstruction, type Dockerfile } from '../parse/dockerfile.js';
import type { Span } from '../flow/ir.js';
import { hasOption, packagesOf, runsOf, type Command } from './docker-shell.js';

export const APT_VALUED = /^(-t|--target-release|-o|--option|-c)$/;

/** A package of a language or of a small distribution without its version. */
export function isUnpinnedInstall(command: Command): boolean {
  const pip = packagesOf(
    command.words[0]?.startsWith('python') === true && command.words[1] === '-m'
      ? { ...command, words: command.words.slice(2) }
      : command,
    /^pip[\d.]*$/,
    /^install$/,
    /^(-r|--requirement|-c|--constraint|-e|--editable|-i|--index-url|--extra-index-url|-t|--target|-f|--find-links)$/,
  );
  if (pip)
    return (
      !hasOption(command, /^(-r|--requirement|-c|--constraint|-r.+|--requirement=.*|-e|--editable)$/) &&
      pip.some(
        (name) => !/[=@~$<>]|\.(whl|tar\.gz|txt)$|^[./]|^(pip|setuptools|wheel|uv|poetry|pipenv)$|:\/\//.test(name),
      )
    );
  const npm = packagesOf(command, /^npm$/, /^(install|i|add)$/, /^(--prefix|--registry)$/);
  if (npm) return npm.some((name) => !/.@[^@]+$|^[./]|\$|:\/\/|\.tgz$|^git/.test(name));
  const apk = packagesOf(command, /^apk$/, /^add$/, /^(-t|--virtual|-X|--repository)$/);
  if (apk) return apk.some((name) => !/[=~<>$]|^[./@]|\.apk$/.test(name));
  const gem = packagesOf(command, /^gem$/, /^(install|i)$/, /^(-v|--version)$/);
  if (gem) return !hasOption(command, /^(-v|--version)/) && gem.some((name) => !/:|\$|\.gem$/.test(name));
  const rpm = packagesOf(command, /^(yum|dnf|microdnf)$/, /^install$/, /^(-c|--config|--releasever|--installroot)$/);
  if (rpm) return rpm.some((name) => !/-\d|[=$]|\.rpm$|:\/\/|^[./@]/.test(name));
  const zypper = packagesOf(command, /^zypper$/, /^(install|in)$/);
  return zypper !== undefined && zypper.some((name) => !/[=~<>$]|\.rpm$/.test(name));
}

/** A package manager whose cache nobody removes. */
export function leavesCache(command: Command, script: string, { instructions }: Dockerfile): boolean {
  const environment = instructions.some(
    ({ keyword, value }) => (keyword === 'ENV' || keyword === 'ARG') && /PIP_NO_CACHE_DIR/.test(value),
  );
  if (packagesOf(command, /^apk$/, /^add$/))
    return !hasOption(command, /^--no-cache$/) && !/rm\s+-\w*r\w*\s[^&;]*\/var\/cache\/apk/.test(script);
  const pip = /^python[\d.]*$/.test(command.words[0] ?? '') ? { ...command, words: command.words.slice(2) } : command;
  if (packagesOf(pip, /^pip[\d.]*$/, /^install$/))
    return (
      !environment &&
      !hasOption(command, /^--no-cache-dir$/) &&
      !/PIP_NO_CACHE_DIR|rm\s+-\w*r\w*\s[^&;]*\.cache/.test(script)
    );
  for (const [program, verb] of [
    ['yum', /^(install|groupinstall|reinstall)$/],
    ['dnf', /^install$/],
    ['microdnf', /^install$/],
    ['zypper', /^(install|in)$/],
  ] as const) {
    if (packagesOf(command, new RegExp(`^${program}$`), verb))
      return !new RegExp(
        `${program}\\s+(-\\S+\\s+)*(clean|cc)\\b|rm\\s+-\\w*r\\w*\\s[^&;]*/var/cache/(yum|dnf|zypp)`,
      ).test(script);
  }
  return (
    command.words[0] === 'yarn' &&
    command.words[1] === 'install' &&
    !/yarn\s+cache\s+clean/.test(script) &&
    /yarn install/.test(script) &&
    hasOption(command, /^--production$/)
  );
}

const words = (value: string): string[] =>
  /^\s*\[/.test(value) ? [...value.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? '') : value.split(/\s+/);

export function copyTargets(file: Dockerfile): DockerInstruction[] {
  return file.instructions.filter((instruction) => {
    const { keyword, value, stage, heredocs } = instruction;
    if ((keyword !== 'COPY' && keyword !== 'ADD') || heredocs.length > 0) return false;
    const flagless = value.replace(/^(--\S+\s+)+/, '');
    const parts = words(flagless);
    const target = parts.at(-1) ?? '';
    const from = /--from=(\S+)/.exec(value)?.[1];
    if (parts.length > 2 && !/\/$|^\.{1,2}$|\$/.test(target)) return true;
    if (from !== undefined && keyword === 'COPY') {
      if (file.stages[stage]?.name === from) return true;
      const known = file.stages.slice(0, stage).some(({ name }) => name?.toLowerCase() === from.toLowerCase());
      if (!known && !/^\d+$|[:/@$]/.test(from)) return true;
    }
    if (keyword !== 'COPY' || /^["']?(\/|\$|[A-Za-z]:|\\)/.test(target)) return false;
    return !hasWorkdir(file, stage, instruction.start);
  });
}

function hasWorkdir(file: Dockerfile, stage: number, before: number): boolean {
  if (file.instructions.some((one) => one.keyword === 'WORKDIR' && one.stage === stage && one.start < before))
    return true;
  const base = file.stages[stage]?.base;
  const parent = file.stages
    .slice(0, Math.max(0, stage))
    .findLastIndex(({ name }) => name !== undefined && name === base);
  return parent >= 0 && hasWorkdir(file, parent, Number.POSITIVE_INFINITY);
}

export function badLabel(value: string): boolean {
  const pairs = [...value.matchAll(/("[^"]+"|[^\s="]+)=("[^"]*"|'[^']*'|\S*)/g)];
  return pairs.some(([, key = '', text = '']) => {
    const name = key.replace(/^"|"$/g, '');
    return (
      !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name) ||
      /[.-]{2}/.test(name) ||
      /^(com\.docker|io\.docker|org\.dockerproject)\./.test(name) ||
      /^(""|'')$/.test(text) ||
      (/\.(url|source|documentation)$/.test(name) && !/https?:|\$/.test(text)) ||
      (/image\.created$/.test(name) && !/\d{4}-\d\d-\d\d|\$/.test(text))
    );
  });
}

/** The first use of the second of two download programs. */
export function bothDownloaders(file: Dockerfile): DockerInstruction[] {
  const runs = runsOf(file);
  const uses = (program: string): DockerInstruction | undefined =>
    runs.find(({ commands }) => commands.some((one) => one.words[0] === program))?.instruction;
  const [curl, wget] = [uses('curl'), uses('wget')];
  if (!curl || !wget || curl.stage !== wget.stage) return [];
  return [curl.start > wget.start ? curl : wget];
}

export function invalidParts(text: string): Span[] {
  const file = parseDockerfile(text);
  const { instructions, stages } = file;
  const bad = instructions.filter((instruction, i) => {
    const { keyword, value, stage } = instruction;
    switch (keyword) {
      case 'EXPOSE':
        return value.split(/\s+/).some((port) => Number(/^(\d+)/.exec(port)?.[1] ?? 0) > 65_535);
      case 'HEALTHCHECK':
        return instructions.slice(0, i).some((earlier) => earlier.keyword === 'HEALTHCHECK' && earlier.stage === stage);
      case 'ONBUILD':
        return /^(FROM|ONBUILD|MAINTAINER)\b/i.test(value);
      case 'FROM': {
        const name = stages[stage]?.name;
        return (
          /--platform=(?!["']?\$)/.test(value) ||
          (name !== undefined && stages.slice(0, stage).some((other) => other.name === name))
        );
      }
      case 'ENV': {
        const names = [...value.matchAll(/(?:^|\s)([A-Za-z_]\w*)=/g)].map((match) => match[1] ?? '');
        return names.some(
          (name, at) =>
            at < names.length &&
            new RegExp(`\\$\\{?${name}\\b`).test(value) &&
            !definedBefore(name, instructions.slice(0, i), stage),
        );
      }
      default:
        return false;
    }
  });
  if (!file.valid) {
    const line = unknownLine(text);
    if (line) return [...bad, line];
  }
  return bad;
}

function definedBefore(name: string, earlier: readonly DockerInstruction[], stage: number): boolean {
  return (
    name === 'PATH' ||
    name === 'LD_LIBRARY_PATH' ||
    name === 'PYTHONPATH' ||
    earlier.some(
      (one) =>
        (one.keyword === 'ENV' || one.keyword === 'ARG') &&
        one.stage === stage &&
        new RegExp(`(^|\\s)${name}\\b`).test(one.value),
    )
  );
}

function unknownLine(text: string): Span | undefined {
  const match = /^(?!\s*(#|$))[^\n]+/m.exec(text);
  return match ? { start: match.index, end: match.index + match[0].length } : undefined;
}

/** Whether the base names a release of its distribution: its packages then change for security alone. */
export function namesRelease(file: Dockerfile, stage: number): boolean {
  const base = file.stages[stage]?.base ?? '';
  const parent = file.stages
    .slice(0, Math.max(0, stage))
    .findLastIndex(({ name }) => name !== undefined && name === base);
  if (parent >= 0) return namesRelease(file, parent);
  return /@sha256:|(stretch|buster|bullseye|bookworm|trixie|bionic|focal|jammy|noble)|(debian|ubuntu):\d|\$/.test(base);
}
