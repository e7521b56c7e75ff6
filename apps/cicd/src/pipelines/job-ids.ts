import type { ComponentReport } from '@devmesh/analysis/stack/component-report';

/** Words that mean something of their own at the top of a pipeline of GitLab CI. */
const RESERVED =
  /^(default|image|services|stages|types|before_script|after_script|variables|cache|include|pages|workflow|spec|true|false|nil)$/;

/** Letters, digits, "-" and "_", by folder, unlike every other. */
export function jobId({ component }: ComponentReport, taken: Readonly<Record<string, unknown>>): string {
  const name =
    (component.root === '.' ? component.name : (component.root.split('/').at(-1) ?? ''))
      .toLowerCase()
      .replace(/[^a-z0-9_-]+/g, '-')
      .replace(/^[^a-z_]+|-+$/g, '')
      .slice(0, 60) || 'component';
  const wanted = RESERVED.test(name) ? `${name}-part` : name;
  let id = wanted;
  for (let i = 2; Object.hasOwn(taken, id); i += 1) id = `${wanted}-${i}`;
  return id;
}
