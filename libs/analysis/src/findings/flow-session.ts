import { FlowWatch } from './flow-watch.js';
import type { Span } from '../flow/ir.js';
import { NO_FILES, Project, type SourceFiles } from '../flow/project.js';
import type { TreeLanguage } from '../parse/language.js';
import type { RuleDefinition } from '../rules/rule.js';
import type { Hit } from './hit.js';

/** The flow rules over the files of one tree: what is found in a file may come up while another one is walked. */
export class FlowSession {
  readonly #watch: FlowWatch;
  readonly #project: Project;

  constructor(rules: readonly RuleDefinition[], files: SourceFiles = NO_FILES) {
    this.#watch = new FlowWatch(rules);
    this.#project = new Project(files, this.#watch);
  }

  /** False when the time of the file was over. */
  walk(path: string, language: TreeLanguage, text: string, isOver: () => boolean): boolean {
    const { module, finished } = this.#project.analyse(
      path,
      language === 'python' ? 'python' : 'javascript',
      text,
      isOver,
    );
    if (module) this.#watch.forms(module);
    return finished;
  }

  hitsOf(path: string): Hit[] {
    return this.#watch.hitsOf(path);
  }

  paths(): string[] {
    return this.#watch.paths();
  }

  isHarmless(path: string, span: Span): boolean {
    return this.#watch.isHarmless(path, span);
  }

  /** Rules that threw, with their words. */
  failures(): string[] {
    return [...this.#watch.failed].map(([rule, problem]) => `${rule} (${problem})`);
  }
}
