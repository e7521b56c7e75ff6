import { posix } from 'node:path';
import { evidence } from '../stack/evidence.js';
import { folderOf } from '../stack/manifest.js';
import { anchorKey, type Document, type Link } from './document.js';
import { shown, type Drift } from './drift.js';
import { fromDocument } from './places.js';
import type { Project } from './project.js';

/** What GitHub serves beside the files of a repository. */
const PAGES =
  /(^|\/)(issues|pulls?|wiki|discussions|releases|actions|security|projects|labels|milestones?|commits?|compare|tree|blob|raw|stargazers|network|graphs|tags|edit|new)(\/|$)/;
/** Placeholders of templates, which other tools fill in. */
const TEMPLATE = /[{}<>$%|*\\]|^(path|url|link|todo|xxx+|example|#+)$/i;

/** Relative links and those to the repository's own pages: the file, and the heading or line of it. */
export function checkLinks(project: Project, document: Document): Drift[] {
  return document.links.flatMap((link) => {
    const local = localTarget(project, document, link.target);
    return local === undefined ? [] : (checkLink(project, document, link, local) ?? []);
  });
}

interface Target {
  readonly path: string;
  readonly anchor: string;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The file of this tree that a link means, if it means one. */
function localTarget(project: Project, document: Document, written: string): Target | undefined {
  const target = written.trim();
  const own =
    /^https?:\/\/github\.com\/([\w.-]+\/[\w.-]+)\/(?:blob|tree)\/(?:main|master|HEAD)\/([^?#]+)(?:\?[^#]*)?(#.*)?$/i.exec(
      target,
    );
  if (own) {
    if (own[1]?.toLowerCase() !== project.repository) return undefined;
    return { path: decoded(own[2] ?? '').replace(/\/$/, ''), anchor: decoded((own[3] ?? '').slice(1)) };
  }
  if (target === '' || /^([a-z][\w+.-]*:|\/\/)/i.test(target) || TEMPLATE.test(decoded(target))) return undefined;
  const hash = target.indexOf('#');
  const anchor = hash < 0 ? '' : decoded(target.slice(hash + 1));
  const path = decoded((hash < 0 ? target : target.slice(0, hash)).replace(/\?.*$/, ''));
  if (path === '') return { path: document.path, anchor };
  if (path.includes('@') && !path.includes('/')) return undefined;
  if (path.startsWith('/')) {
    // GitHub counts from the root of the repository, a site from its own.
    const fromRoot = posix.normalize(path.slice(1)).replace(/\/$/, '');
    const sure =
      project.places.presence(fromRoot) === 'there' || (!siteOf(project, document) && /\.(md|markdown)$/i.test(path));
    return sure ? { path: fromRoot, anchor } : undefined;
  }
  return { path: fromDocument(document.path, path), anchor };
}

/** Whether a generator of sites reads the document: then links follow its rules. */
function siteOf(project: Project, document: Document): boolean {
  return !/(^|\/)readme\.\w+$/i.test(document.path) && project.site;
}

function checkLink(project: Project, document: Document, link: Link, { path, anchor }: Target): Drift[] | undefined {
  const { places } = project;
  const found = variantsOf(path).find((one) => places.presence(one) === 'there');
  const at = { document, start: link.start, end: link.end };
  if (found === undefined) {
    if (places.presence(path) !== 'missing' || variantsOf(path).some((one) => places.presence(one) === 'unknown'))
      return undefined;
    if (PAGES.test(path) && !places.isFolder(folderOf(path))) return undefined;
    const hasExtension = /\.\w{1,8}$/.test(path);
    if (siteOf(project, document) && (!hasExtension || /\.html?$/i.test(path) || !/\.(md|mdx|rst)$/i.test(path)))
      return undefined;
    const moved = project.whereabouts(path);
    return [
      {
        rule: 'docs-broken-link',
        ...at,
        says: `the link goes to ${shown(path)}, which is not in the repository${moved.because}`,
        evidence: [],
        ...(moved.now === undefined
          ? {}
          : { suggestion: `link to ${posix.relative(folderOf(document.path), moved.now)}` }),
      },
    ];
  }
  return anchor === '' || link.target.startsWith('#!') ? undefined : checkAnchor(project, at, found, anchor);
}

function variantsOf(path: string): string[] {
  const bare = path.replace(/\.html?$/i, '');
  return [
    path,
    ...['.md', '.mdx', '.markdown', '.rst', '/index.md', '/index.mdx', '/README.md'].map((end) => `${bare}${end}`),
  ];
}

function checkAnchor(
  project: Project,
  at: Pick<Drift, 'document' | 'start' | 'end'>,
  path: string,
  anchor: string,
): Drift[] | undefined {
  const lines = /^L(\d+)(?:C\d+)?(?:-L?(\d+)(?:C\d+)?)?$/.exec(anchor);
  if (lines) {
    const last = Number(lines[2] ?? lines[1]);
    const text = project.tree.text(path);
    const count = text?.split('\n').length ?? Infinity;
    if (last <= count) return undefined;
    const says = `the link goes to line ${last} of ${shown(path)}, which has ${count} lines`;
    return [{ rule: 'docs-missing-anchor', ...at, says, evidence: [evidence(path, `has ${count} lines`, count)] }];
  }
  const target = path === at.document.path ? at.document : project.document(path);
  if (!target || /^(:~:|top$|user-content-)/.test(anchor)) return undefined;
  const key = anchorKey(anchor);
  // Several headings of one title get numbers behind it.
  if (key === '' || target.anchors.has(key) || target.anchors.has(key.replace(/\d+$/, ''))) return undefined;
  if ([...target.anchors].some((one) => one.length > 0 && loosely(one) === loosely(key))) return undefined;
  const where = path === at.document.path ? 'this document' : shown(path);
  const near = [...target.anchors].filter((one) => one.length > 3 && (one.startsWith(key) || key.startsWith(one)));
  return [
    {
      rule: 'docs-missing-anchor',
      ...at,
      says: `the link goes to #${shown(anchor)}, and ${where} has no such heading`,
      evidence: path === at.document.path ? [] : [evidence(path, 'has no such heading')],
      ...(near.length === 1 && near[0] !== undefined ? { suggestion: `the nearest heading reads "${near[0]}"` } : {}),
    },
  ];
}

/** Emoji, entities and punctuation that sites spell out differ from generator to generator. */
function loosely(key: string): string {
  return key
    .replace(/(amp|and|quot|lt|gt|nbsp|\d)+/g, '')
    .normalize('NFD')
    .replace(/\p{M}/gu, '');
}
