import type { FindingClass } from '@devmesh/contracts/finding';
import type { FlowLanguage } from '../../parse/language.js';
import { GO } from './go.js';
import { JAVA } from './java.js';
import { JAVASCRIPT } from './javascript.js';
import { NameTable, type Model, type Source } from './model.js';
import { PYTHON } from './python.js';

/** What the functions of each language's frameworks mean. */
export type FlowModels = Readonly<Record<FlowLanguage, Model>>;

export const SHIPPED_MODELS: FlowModels = { javascript: JAVASCRIPT, python: PYTHON, go: GO, java: JAVA };

/** What a project knows of its own functions; names as in the tables of a model, blank-separated. */
export interface ModelExtension {
  readonly language: keyof FlowModels;
  /** `call`: the result of a call is what somebody else chooses, and not a value of that name. */
  readonly sources: readonly { readonly names: string; readonly call: boolean; readonly source: Source }[];
  readonly sanitizers: readonly { readonly names: string; readonly classes: readonly FindingClass[] | 'all' }[];
  /** Functions whose result carries what goes in. */
  readonly propagators: readonly string[];
}

/** The models with what a project adds; what it says comes first. */
export function extendModels(extensions: readonly ModelExtension[]): FlowModels {
  const of = (language: keyof FlowModels): Model => {
    const mine = extensions.filter((one) => one.language === language);
    return mine.length === 0 ? SHIPPED_MODELS[language] : extended(SHIPPED_MODELS[language], mine);
  };
  return { javascript: of('javascript'), python: of('python'), go: of('go'), java: of('java') };
}

function extended(model: Model, extensions: readonly ModelExtension[]): Model {
  const sources = extensions.flatMap((one) => one.sources);
  const table = (call: boolean): NameTable<Source> =>
    new NameTable(sources.filter((one) => one.call === call).map(({ names, source }) => [names, source] as const));
  const [values, calls] = [table(false), table(true)];
  const cleanses = new NameTable(
    extensions.flatMap((one) => one.sanitizers.map(({ names, classes }) => [names, classes] as const)),
  );
  const passes = new NameTable(extensions.flatMap((one) => one.propagators.map((names) => [names, true] as const)));
  return {
    source: (ref) => values.get(ref) ?? model.source(ref),
    sourceCall: (ref) => calls.get(ref) ?? model.sourceCall(ref),
    cleanses: (ref, method) => cleanses.get(ref) ?? model.cleanses(ref, method),
    passes: (ref, method) => passes.get(ref) ?? model.passes(ref, method),
  };
}
