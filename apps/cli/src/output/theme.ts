import pc from 'picocolors';

export interface Theme {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly busy: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly name: (text: string) => string;
  readonly critical: (text: string) => string;
}

const themes = new Map<boolean, Theme>();

/** Colours by meaning; the same text without them. */
export function theme(color: boolean): Theme {
  let made = themes.get(color);
  if (made === undefined) {
    const c = pc.createColors(color);
    made = {
      good: c.green,
      bad: c.red,
      warn: c.yellow,
      busy: c.cyan,
      strong: c.bold,
      dim: c.dim,
      name: c.magenta,
      critical: (text) => c.bold(c.red(text)),
    };
    themes.set(color, made);
  }
  return made;
}
