import { describe, expect, it } from 'vitest';
import { languageOf } from './language.js';
import { parseDockerfile } from './dockerfile.js';

describe('parseDockerfile', () => {
  it('joins lines, leaves comments out, and knows its stages', () => {
    const { instructions, stages, valid } = parseDockerfile(
      'ARG V=1\n# first\nfrom --platform=linux/amd64 node:${V} as build\nRUN a && \\\n  # inside\n\n  b\nFROM debian\nCOPY --from=build /a /a\n',
    );
    expect(valid).toBe(true);
    expect(instructions.map(({ keyword, value, stage }) => [keyword, value, stage])).toEqual([
      ['ARG', 'V=1', -1],
      ['FROM', '--platform=linux/amd64 node:${V} as build', 0],
      ['RUN', 'a && b', 0],
      ['FROM', 'debian', 1],
      ['COPY', '--from=build /a /a', 1],
    ]);
    expect(stages.map(({ base, name }) => [base, name])).toEqual([
      ['node:${V}', 'build'],
      ['debian', undefined],
    ]);
  });

  it('reads here-documents, several in one line, and CRLF', () => {
    const { instructions, valid } = parseDockerfile(
      'FROM a\r\nRUN <<A bash <<-"B"\r\nFROM x\r\nA\r\n\tRUN y\r\n\tB\r\nUSER 1\r\n',
    );
    expect(valid).toBe(true);
    expect(instructions.map(({ keyword }) => keyword)).toEqual(['FROM', 'RUN', 'USER']);
    expect(instructions[1]?.heredocs).toEqual(['FROM x', '\tRUN y']);
  });

  it('heeds the escape directive', () => {
    expect(
      parseDockerfile('# escape=`\nFROM a\nRUN dir c:\\\nRUN a `\n b\n').instructions.map(({ value }) => value),
    ).toEqual(['a', 'dir c:\\', 'a b']);
  });

  it.each([
    ['no FROM', 'RUN a\n'],
    ['an unknown word', 'FROM a\nRUNN b\n'],
    ['an open here-document', 'FROM a\nRUN <<E\nb\n'],
    ['nothing', ''],
  ])('is not valid with %s', (_, text) => {
    expect(parseDockerfile(text).valid).toBe(false);
  });

  it('keeps offsets of the file', () => {
    const text = 'FROM a\n\nRUN b \\\n c\nUSER 1';
    const [, run, user] = parseDockerfile(text).instructions;
    expect(text.slice(run!.start, run!.end)).toBe('RUN b \\\n c');
    expect(text.slice(user!.start, user!.end)).toBe('USER 1');
  });
});

describe('languageOf', () => {
  it.each([
    ['a/Dockerfile', 'dockerfile'],
    ['Dockerfile.dev', 'dockerfile'],
    ['api.Dockerfile', 'dockerfile'],
    ['Containerfile', 'dockerfile'],
    ['Dockerfile.dockerignore', undefined],
    ['dockerfile.spec.ts', 'typescript'],
    ['dockerfile.md', undefined],
    ['a.b/c.MTS', 'typescript'],
    ['x.tsx', 'tsx'],
    ['py', undefined],
    ['a.py', 'python'],
  ])('%s is %s', (path, language) => {
    expect(languageOf(path)).toBe(language);
  });
});
