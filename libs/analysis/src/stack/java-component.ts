import type { ComponentReport } from './component-report.js';
import { healthPathOf, type ComponentSources } from './component-sources.js';
import { evidence, fact, lineOf, present, type Fact } from './evidence.js';
import { inFolder, relativeTo } from './manifest.js';
import type { JavaManifest } from './java-manifest.js';
import { findPort } from './ports.js';
import { resolveRoutes } from './routes.js';
import { environmentOf, servicesOfTests, usedServices } from './usage.js';

const WEB_STARTERS = ['spring-boot-starter-web', 'spring-boot-starter-webmvc', 'spring-boot-starter-webflux'];
const ACTUATOR = 'spring-boot-starter-actuator';

/** Reads a module of Maven or Gradle. */
export function javaComponent(sources: ComponentSources<JavaManifest>): ComponentReport {
  const { tree, manifest, code, files, dockerfiles } = sources;
  const { root, dependencies, tool } = manifest;
  const [path = ''] = manifest.paths;
  const main = code.filter(({ runsAsMain }) => runsAsMain);
  const [entry] = main;
  const entryPoint =
    entry && main.length === 1
      ? fact(relativeTo(root, entry.path), evidence(entry.path, 'has public static void main'))
      : undefined;
  const routes = resolveRoutes(code, () => undefined);
  const services = usedServices('java', code, dependencies);
  const starter = WEB_STARTERS.map((name) => dependencies.get(name)).find((one) => one !== undefined);
  const web = starter && WEB_STARTERS.find((name) => dependencies.get(name) === starter);
  const test = files.find((file) => file.test && file.path.endsWith('.java'));
  const says = evidence(
    path,
    `a build file of ${tool === 'maven' ? 'Maven' : 'Gradle'}`,
    tool === 'maven' ? lineOf(manifest.text, '<project') : undefined,
  );
  const port =
    findPort({
      tree,
      root,
      files: code,
      dockerfiles,
      entryFile: entryPoint && inFolder(root, entryPoint.value),
      resolve: () => undefined,
    }) ??
    (starter &&
      fact('8080', evidence(path, `${web ?? ''} with no server.port: Spring Boot then listens on 8080`, starter.line)));
  const run = commandOf(manifest);
  return {
    ecosystem: 'java',
    manifest,
    dependencies,
    lockfile: undefined,
    workspace: manifest.build === root ? undefined : manifest.build,
    packageManagerVersion: undefined,
    environment: environmentOf(code),
    routes,
    healthPath: dependencies.has(ACTUATOR) && starter ? '/actuator/health' : healthPathOf(routes),
    dockerfiles: dockerfiles.map(({ path: file }) => file),
    application: undefined,
    hasTests: test !== undefined,
    testServices: servicesOfTests(
      'java',
      files,
      services.map(({ value }) => value),
      () => undefined,
    ),
    component: {
      root,
      name: (manifest.name ?? (root === '.' ? 'app' : (root.split('/').at(-1) ?? root))).slice(0, 214),
      language: 'java',
      services,
      ...present({
        runtime:
          manifest.runtime &&
          fact(
            `java ${manifest.runtime.range}`,
            evidence(manifest.runtime.path, `asks for java ${manifest.runtime.range}`, manifest.runtime.line),
          ),
        packageManager: fact(tool, says),
        framework: springOf(manifest, sources),
        entryPoint,
        port,
        buildCommand: fact(run('package'), says),
        testCommand: test && fact(run('test'), says, evidence(test.path, 'holds tests')),
      }),
    },
  };
}

function springOf(manifest: JavaManifest, { code }: ComponentSources<JavaManifest>): Fact | undefined {
  const [path = ''] = manifest.paths;
  for (const file of code) {
    const used = file.imports.find(({ module }) => module.startsWith('org.springframework.boot'));
    if (!used) continue;
    const line = manifest.bootLine ?? lineOf(manifest.text, 'spring-boot');
    return fact(
      'spring-boot',
      evidence(path, 'builds with Spring Boot', line),
      evidence(file.path, `imports ${used.module}`, used.line),
    );
  }
  return undefined;
}

/** The tool's command for a module, run in the module's own folder. */
function commandOf({ tool, wrapper, root, build }: JavaManifest): (what: 'package' | 'test') => string {
  const up =
    root === build
      ? '.'
      : relativeTo(build, root)
          .split('/')
          .map(() => '..')
          .join('/');
  const module = root === build ? '' : relativeTo(build, root);
  return (what) => {
    if (tool === 'maven') {
      const program = wrapper ? `${up}/mvnw` : 'mvn';
      const where = module === '' ? '' : ` --file ${up} --projects ${module} --also-make`;
      return `${program} --batch-mode${where} ${what === 'package' ? 'package -DskipTests' : 'test'}`;
    }
    const program = wrapper ? `${up}/gradlew` : 'gradle';
    const task = what === 'package' ? 'assemble' : 'test';
    return `${program} ${module === '' ? '' : `--project-dir ${up} :${module.replaceAll('/', ':')}:`}${task}`;
  };
}
