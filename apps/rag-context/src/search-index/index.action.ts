import { implement } from '@devmesh/agent-kit/action-context';
import { programmingLanguage } from '@devmesh/analysis/stack/languages';
import { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { ragContextIndex } from '@devmesh/contracts/actions/rag-context';
import { chunkFile } from '../chunks/chunk-file.js';
import { IndexBuilder } from './index-file.js';

/** Media type of a packed index. */
export const INDEX_MEDIA_TYPE = 'application/vnd.devmesh.search-index+gzip';

const MAX_FILE_BYTES = 256 * 1024;
const MAX_CHUNKS = 120_000;
const MAX_LINE = 2_000;
const PROGRESS_EVERY = 500;

/** Files that say nothing to a reader: locks, minified code, maps. Secrets stay out of the index, too. */
const UNREAD =
  /(^|\/)(package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|yarn\.lock|bun\.lock|poetry\.lock|uv\.lock|Pipfile\.lock|Cargo\.lock|composer\.lock|Gemfile\.lock|go\.sum|\.env(\..+)?)$|\.(min\.(js|css)|map|svg|snap|pem|key|csv|tsv)$/i;

export const index = implement(ragContextIndex, async (ctx) => {
  ctx.progress('reading the repository');
  const checkout = await ctx.checkout(ctx.input.repository);
  const tree = await SourceTree.open(checkout.path, { signal: ctx.signal });
  const builder = new IndexBuilder();
  const languages: Record<string, number> = {};
  let files = 0;
  let skipped = 0;
  for (const file of tree.files) {
    await tree.breathe(ctx.signal);
    const text =
      UNREAD.test(file.path) && !file.path.endsWith('.env.example') ? undefined : tree.text(file, MAX_FILE_BYTES);
    const lines = text?.split('\n') ?? [];
    if (text === undefined || builder.chunks >= MAX_CHUNKS || lines.some((line) => line.length > MAX_LINE)) {
      skipped += 1;
      continue;
    }
    builder.addFile(file.path, lines, chunkFile(file.path, text, lines));
    const language = programmingLanguage(file.path) ?? (/\.(md|markdown|mdx)$/i.test(file.path) ? 'markdown' : 'other');
    languages[language] = (languages[language] ?? 0) + 1;
    files += 1;
    if (files % PROGRESS_EVERY === 0) ctx.progress(`indexed ${files} of ${tree.files.length} files`);
  }
  ctx.progress('storing the index');
  const artifact = await ctx.artifacts.put(await builder.pack(), {
    name: 'search-index.json.gz',
    mediaType: INDEX_MEDIA_TYPE,
  });
  const left = skipped === 0 ? '' : `; ${skipped} binary, large or generated files left out`;
  return {
    index: artifact,
    files,
    chunks: builder.chunks,
    languages,
    summary: `${files} files in ${builder.chunks} chunks${left}`,
  };
});
