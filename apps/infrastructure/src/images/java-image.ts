import type { ComponentReport } from '@devmesh/analysis/stack/component-report';
import { GENERATED_MARK } from '@devmesh/analysis/stack/containers';
import type { JavaManifest } from '@devmesh/analysis/stack/java-manifest';
import { inFolder, relativeTo } from '@devmesh/analysis/stack/manifest';
import { chooseRuntime } from '@devmesh/analysis/stack/runtime-versions';
import { wgetProbe } from './go-image.js';
import { DOCKERIGNORE_COMMON, type Image, type NoImage } from './image.js';

function isJava(manifest: ComponentReport['manifest']): manifest is JavaManifest {
  return manifest.ecosystem === 'java';
}

/** Writes the image of a module whose build makes one jar that runs by itself. */
export function javaImage(report: ComponentReport): Image | NoImage {
  const { component, manifest } = report;
  if (!isJava(manifest)) return { reason: 'it has no build file of Java' };
  const jar = jarOf(manifest);
  if (typeof jar !== 'string') return jar;
  const runtime = chooseRuntime(report);
  const context = manifest.build;
  const module = context === component.root ? '' : relativeTo(context, component.root);
  const maven = manifest.tool === 'maven';
  const base = maven ? `maven:3.9-eclipse-temurin-${runtime.version}` : `gradle:8-jdk${runtime.version}`;
  const cache = `--mount=type=cache,target=${maven ? '/root/.m2' : '/root/.gradle'}`;
  const command = maven
    ? `mvn --batch-mode -DskipTests ${module === '' ? '' : `--projects ${module} --also-make `}package`
    : `gradle --no-daemon --gradle-user-home /root/.gradle ${module === '' ? '' : `:${module.replaceAll('/', ':')}:`}bootJar`;
  const lines = [
    `# ${GENERATED_MARK}. Base: ${runtime.because}. Yours to change: it is never written over.`,
    `FROM ${base} AS build`,
    'WORKDIR /src',
    'COPY . .',
    `RUN ${cache} ${command} && cp ${module === '' ? '' : `${module}/`}${jar} /app.jar`,
    '',
    `FROM eclipse-temurin:${runtime.version}-jre-alpine`,
    'WORKDIR /app',
    'COPY --from=build /app.jar app.jar',
    'USER 10001',
  ];
  const { port } = component;
  if (port) lines.push(`EXPOSE ${port.value}`);
  if (port && report.healthPath !== undefined) lines.push(wgetProbe(port.value, report.healthPath));
  lines.push('CMD ["java", "-XX:MaxRAMPercentage=75", "-jar", "app.jar"]');
  return {
    dockerfile: inFolder(component.root, 'Dockerfile'),
    content: `${lines.join('\n')}\n`,
    context,
    port: port?.value,
    dockerignore: `# ${GENERATED_MARK}.\n${[...DOCKERIGNORE_COMMON, '**/target', '**/build', '**/.gradle'].join('\n')}\n`,
  };
}

const PLAIN = /^[\w.-]+$/;

/** Where the build puts the jar, or why that can't be told. */
function jarOf({ tool, bootLine, name, version }: JavaManifest): string | NoImage {
  if (bootLine === undefined) return { reason: 'nothing in its build file makes a jar that runs by itself' };
  if (name === undefined || !PLAIN.test(name)) return { reason: 'the name of its jar could not be told' };
  if (tool === 'gradle') return `build/libs/${name}${version === undefined ? '' : `-${version}`}.jar`;
  return version === undefined || !PLAIN.test(version)
    ? { reason: 'the version in the name of its jar could not be told' }
    : `target/${name}-${version}.jar`;
}
