/** A part of a Markdown file that belongs to us: from its begin marker to its end marker. */
interface Region {
  readonly name: string;
  /** Offsets of what lies between the markers. */
  readonly innerStart: number;
  readonly innerEnd: number;
}

export type MarkerProblem = { readonly problem: string };

const MARKER = /<!-- devmesh:(begin|end) ([A-Za-z0-9_-]{1,40}) -->/g;
/** Anything that was perhaps meant to be a marker. */
const SUSPECT = /<!--\s*devmesh\s*:/gi;

/** The regions of a text in order, or why its markers can't be trusted. */
function readRegions(text: string): Region[] | MarkerProblem {
  const regions: Region[] = [];
  let open: { name: string; innerStart: number } | undefined;
  let markers = 0;
  for (const match of text.matchAll(MARKER)) {
    markers += 1;
    const [whole, kind = '', name = ''] = match;
    if (kind === 'begin') {
      if (open) return { problem: `the marker "begin ${name}" stands inside "${open.name}"` };
      if (regions.some((region) => region.name === name))
        return { problem: `the marker "begin ${name}" is there twice` };
      open = { name, innerStart: match.index + whole.length };
    } else {
      if (open?.name !== name) return { problem: `the marker "end ${name}" has no begin before it` };
      regions.push({ name, innerStart: open.innerStart, innerEnd: match.index });
      open = undefined;
    }
  }
  if (open) return { problem: `the marker "begin ${open.name}" has no end` };
  const suspects = [...text.matchAll(SUSPECT)].length;
  return suspects === markers ? regions : { problem: 'a devmesh marker is damaged' };
}

function newlineOf(text: string): string {
  const first = text.indexOf('\n');
  return first > 0 && text[first - 1] === '\r' ? '\r\n' : '\n';
}

/**
 * Puts each section between its own markers; sections whose markers are missing are added at the end, in order. Everything
 * outside the markers stays as it is, the file's line ends are used inside, and doing it again changes nothing. Broken or
 * doubled markers change nothing and are named. Sections are Markdown with "\n", without markers; an empty one empties
 * its region, and is not added.
 */
export function writeSections(
  text: string,
  sections: ReadonlyMap<string, string>,
): { readonly text: string } | MarkerProblem {
  for (const [name, content] of sections) {
    if (new RegExp(SUSPECT.source, 'i').test(content)) return { problem: `section ${name} would contain a marker` };
  }
  const regions = readRegions(text);
  if ('problem' in regions) return regions;
  const newline = newlineOf(text);
  const inner = (content: string): string => `${newline}${content.trim().split('\n').join(newline)}${newline}`;
  let written = '';
  let at = 0;
  for (const { name, innerStart, innerEnd } of regions) {
    const content = sections.get(name);
    written += text.slice(at, innerStart) + (content === undefined ? text.slice(innerStart, innerEnd) : inner(content));
    at = innerEnd;
  }
  written += text.slice(at);
  const missing = [...sections].filter(
    ([name, content]) => content !== '' && !regions.some((region) => region.name === name),
  );
  for (const [name, content] of missing) {
    const gap = written === '' ? '' : written.endsWith('\n') ? newline : newline.repeat(2);
    written += `${gap}<!-- devmesh:begin ${name} -->${inner(content)}<!-- devmesh:end ${name} -->${newline}`;
  }
  return { text: written };
}
