import type { ComponentReport } from '@devmesh/analysis/stack/component-report';
import { GENERATED_MARK } from '@devmesh/analysis/stack/containers';
import { folderOf, inFolder, relativeTo } from '@devmesh/analysis/stack/manifest';
import { chooseRuntime } from '@devmesh/analysis/stack/runtime-versions';
import type { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { DOCKERIGNORE_COMMON, type Image, type NoImage } from './image.js';

/** Has busybox's wget for the health check, and the certificates of authorities. */
const RUN_BASE = 'alpine:3.22';
/** Packages that compile C, which the static program can't have. */
const NEEDS_C = ['github.com/mattn/go-sqlite3', 'github.com/confluentinc/confluent-kafka-go'];

/** Writes the image of a Go module: one static program, run as an ordinary user. */
export function goImage(tree: SourceTree, report: ComponentReport): Image | NoImage {
  const { component, workspace, dependencies } = report;
  const entry = component.entryPoint?.value;
  if (entry === undefined) return { reason: 'no single package main could be told' };
  const needs = NEEDS_C.find((name) => dependencies.has(name));
  if (needs !== undefined) return { reason: `${needs} needs a C compiler, which is not supported yet` };
  const context = workspace ?? component.root;
  const module = context === component.root ? '.' : relativeTo(context, component.root);
  const folder = folderOf(module === '.' ? entry : `${module}/${entry}`);
  const runtime = chooseRuntime(report);
  const caches = '--mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build';
  const sums = tree.file(inFolder(component.root, 'go.sum')) ? 'go.mod go.sum' : 'go.mod';
  const lines = [
    `# ${GENERATED_MARK}. Base: ${runtime.because}. Yours to change: it is never written over.`,
    `FROM golang:${runtime.version}-alpine AS build`,
    'WORKDIR /src',
    // Members of a workspace are needed together, so their modules come with the code.
    ...(workspace === undefined
      ? [`COPY ${sums} ./`, `RUN --mount=type=cache,target=/go/pkg/mod go mod download`]
      : []),
    'COPY . .',
    `RUN ${caches} CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/app ./${folder === '.' ? '' : folder}`,
    '',
    `FROM ${RUN_BASE}`,
    'COPY --from=build /out/app /usr/local/bin/app',
    'USER 10001',
  ];
  const { port } = component;
  if (port) lines.push(`EXPOSE ${port.value}`);
  if (port && report.healthPath !== undefined) lines.push(wgetProbe(port.value, report.healthPath));
  lines.push('CMD ["/usr/local/bin/app"]');
  return {
    dockerfile: inFolder(component.root, 'Dockerfile'),
    content: `${lines.join('\n')}\n`,
    context,
    port: port?.value,
    dockerignore: `# ${GENERATED_MARK}.\n${[...DOCKERIGNORE_COMMON, '**/*_test.go', 'bin'].join('\n')}\n`,
  };
}

/** A HEALTHCHECK with the wget of busybox. */
export function wgetProbe(port: string, path: string): string {
  const command = JSON.stringify(['wget', '-q', '-O', '/dev/null', '-T', '2', `http://127.0.0.1:${port}${path}`]);
  return `HEALTHCHECK --interval=30s --timeout=3s --start-period=15s CMD ${command}`;
}
