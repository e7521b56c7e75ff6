import type { SourceTree } from '../tree/source-tree.js';
import { firstFile, foldersUp } from './component-sources.js';
import { lineOf } from './evidence.js';
import { inFolder, isInside, type Dependency, type Manifest } from './manifest.js';
import { matches } from './text-source.js';

export interface JavaManifest extends Manifest {
  readonly ecosystem: 'java';
  readonly tool: 'maven' | 'gradle';
  readonly text: string;
  /** Folder that the tool is run in: the one that names this as a module, or its own. */
  readonly build: string;
  /** Whether it only holds modules together. */
  readonly onlyHolds: boolean;
  readonly version: string | undefined;
  /** Line of what makes a jar that runs by itself; of what makes a folder with a start script. */
  readonly bootLine: number | undefined;
  readonly applicationLine: number | undefined;
  /** Whether the tool's wrapper is in `build`. */
  readonly wrapper: boolean;
}

/** Reads pom.xml or build.gradle(.kts) of a folder; undefined when there is neither. Nothing of them is run. */
export function readJavaManifest(tree: SourceTree, root: string): JavaManifest | undefined {
  const pom = inFolder(root, 'pom.xml');
  const text = tree.text(pom);
  if (text !== undefined)
    return mavenManifest(
      tree,
      root,
      pom,
      text.replace(/<!--[\s\S]*?-->/g, (one) => one.replace(/[^\n]/g, ' ')),
    );
  const gradle = firstFile(tree, root, ['build.gradle.kts', 'build.gradle']);
  const script = gradle === undefined ? undefined : tree.text(gradle);
  return gradle === undefined || script === undefined ? undefined : gradleManifest(tree, root, gradle, script);
}

/** The text of the project's own element, which dependencies, plugins and the parent have too. */
function own(text: string, element: string): string | undefined {
  const bare = text.replace(
    /<(parent|dependencies|dependencyManagement|build|profiles|reporting|distributionManagement)>[\s\S]*?<\/\1>/g,
    '',
  );
  return new RegExp(`<${element}>\\s*([^<$]+?)\\s*</${element}>`).exec(bare)?.[1];
}

function mavenManifest(tree: SourceTree, root: string, path: string, text: string): JavaManifest {
  const dependencies = new Map<string, Dependency>();
  for (const { match, line } of matches(text, /<dependency>([\s\S]*?)<\/dependency>/g)) {
    const inner = match[1] ?? '';
    const artifact = /<artifactId>\s*([^<\s]+)/.exec(inner);
    const name = artifact?.[1];
    if (name === undefined || dependencies.has(name)) continue;
    const at = line + (match[0].slice(0, match[0].indexOf('<artifactId>')).match(/\n/g)?.length ?? 0);
    dependencies.set(name, {
      version: /<version>\s*([^<\s]+)/.exec(inner)?.[1] ?? '',
      development: /<scope>\s*test/.test(inner),
      path,
      line: at,
    });
  }
  const build =
    foldersUp(root)
      .filter((folder) => {
        const above = folder === root ? undefined : tree.text(inFolder(folder, 'pom.xml'));
        return (
          above !== undefined &&
          isInside(folder, root) &&
          new RegExp(`<module>\\s*${escaped(root === '.' ? '' : relative(folder, root))}/?\\s*</module>`).test(above)
        );
      })
      .at(-1) ?? root;
  const parentText = build === root ? '' : (tree.text(inFolder(build, 'pom.xml')) ?? '');
  const runtime =
    /<(java\.version|maven\.compiler\.release|maven\.compiler\.target|maven\.compiler\.source)>\s*(?:1\.)?(\d+)/;
  const at = runtime.exec(text) ? { path, text } : { path: inFolder(build, 'pom.xml'), text: parentText };
  const range = runtime.exec(at.text)?.[2];
  const packaging = own(text, 'packaging');
  return {
    ecosystem: 'java',
    tool: 'maven',
    root,
    paths: [path],
    name: own(text, 'artifactId'),
    description: own(text, 'description'),
    dependencies,
    scripts: new Map(),
    runtime: range === undefined ? undefined : { range, path: at.path, line: lineOf(at.text, runtime) },
    text,
    build,
    onlyHolds: packaging === 'pom',
    version:
      own(text, 'version') ??
      /<parent>[\s\S]*?<version>\s*([^<$\s]+)[\s\S]*?<\/parent>/.exec(build === root ? '' : text)?.[1],
    bootLine: lineOf(text, /<artifactId>\s*spring-boot-maven-plugin/),
    applicationLine: undefined,
    wrapper:
      tree.exists(inFolder(build, 'mvnw')) && tree.exists(inFolder(build, '.mvn/wrapper/maven-wrapper.properties')),
  };
}

function relative(folder: string, path: string): string {
  return folder === '.' ? path : path.slice(folder.length + 1);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function gradleManifest(tree: SourceTree, root: string, path: string, text: string): JavaManifest {
  const dependencies = new Map<string, Dependency>();
  for (const { match, line } of matches(
    text,
    /^\s*(\w*(?:[iI]mplementation|[aA]pi|[rR]untimeOnly|[cC]ompileOnly))[\s(]+["']([\w.-]+):([\w.-]+)(?::([\w.-]+))?["']/gm,
  )) {
    const at = line + (/^\s*/.exec(match[0])?.[0].match(/\n/g)?.length ?? 0);
    dependencies.set(match[3] ?? '', {
      version: match[4] ?? '',
      development: (match[1] ?? '').startsWith('test'),
      path,
      line: at,
    });
  }
  const settings = (folder: string): string | undefined =>
    firstFile(tree, folder, ['settings.gradle.kts', 'settings.gradle']);
  const build = foldersUp(root).find((folder) => settings(folder) !== undefined) ?? root;
  const settingsText = tree.text(settings(build) ?? '') ?? '';
  const rootName = /rootProject\.name\s*=\s*["']([^"']+)["']/.exec(settingsText)?.[1];
  const runtime =
    /JavaLanguageVersion\.of\((\d+)\)|(?:source|target)Compatibility\s*=\s*["']?(?:JavaVersion\.VERSION_)?(?:1[._])?(\d+)/;
  const asked = runtime.exec(text);
  const range = asked?.[1] ?? asked?.[2];
  return {
    ecosystem: 'java',
    tool: 'gradle',
    root,
    paths: [path],
    name: root === build ? rootName : root.split('/').at(-1),
    description: undefined,
    dependencies,
    scripts: new Map(),
    runtime: range === undefined ? undefined : { range, path, line: lineOf(text, runtime) },
    text,
    build,
    onlyHolds: dependencies.size === 0 && /\binclude\b/.test(root === build ? settingsText : ''),
    version: /^version\s*=\s*["']([^"'$]+)["']/m.exec(text)?.[1],
    bootLine: lineOf(text, /(?:id\s*\(?\s*|apply plugin:\s*)["']org\.springframework\.boot["']/),
    applicationLine: lineOf(text, /^\s*(?:application\s*$|id\s*\(?\s*["']application["'])/m),
    wrapper:
      tree.exists(inFolder(build, 'gradlew')) && tree.exists(inFolder(build, 'gradle/wrapper/gradle-wrapper.jar')),
  };
}
