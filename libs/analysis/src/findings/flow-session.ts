import type { FindingClass } from '@devmesh/contracts/finding';
import type { Span } from '../flow/ir.js';
import type { FlowModels } from '../flow/models/extend.js';
import { ModuleStore, NO_FILES, type SourceFiles } from '../flow/module-store.js';
import { Project } from '../flow/project.js';
import { flowLanguageOf, type TreeLanguage } from '../parse/language.js';
import type { RuleDefinition } from '../rules/rule.js';
import { FlowRules, FlowWatch } from './flow-watch.js';
import type { Hit } from './hit.js';

/** What came of walking one file. */
export interface FlowResult {
  /** False when the time of the file was over. */
  readonly finished: boolean;
  /** Whether it could be parsed without an error. */
  readonly sound: boolean;
  /** By path: data of this file may do its harm in another one. */
  readonly hits: ReadonlyMap<string, readonly Hit[]>;
  /** Whether only values that can't do the harm of a class came to a place of this file. */
  readonly isHarmless: (span: Span, kind: FindingClass) => boolean;
  /** Files that were read, and looked for in vain: a change of one of them may change what is found. */
  readonly read: readonly string[];
  readonly missed: readonly string[];
  /** Rules that threw, with their words. */
  readonly failed: readonly string[];
}

/** The flow rules over the files of one tree, each walked by itself. */
export class FlowSession {
  readonly #rules: FlowRules;
  readonly #store: ModuleStore;

  constructor(
    rules: readonly RuleDefinition[],
    files: SourceFiles = NO_FILES,
    readonly models?: FlowModels,
  ) {
    this.#rules = new FlowRules(rules);
    this.#store = new ModuleStore(files);
  }

  walk(path: string, language: TreeLanguage, text: string, isOver: () => boolean): FlowResult {
    const watch = new FlowWatch(this.#rules);
    const project = new Project(this.#store, watch, this.models);
    const { module, finished } = project.analyse(path, flowLanguageOf(language), text, isOver);
    if (module) watch.forms(module);
    return {
      finished,
      sound: module?.sound === true,
      hits: watch.hits(),
      isHarmless: (span, kind) => watch.isHarmless(path, span, kind),
      read: [...project.read],
      missed: [...project.missed],
      failed: [...watch.failed].map(([rule, problem]) => `${rule} (${problem})`),
    };
  }
}
