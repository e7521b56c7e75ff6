/** A replacement of `[start, end)`, in UTF-16 code units of the file. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}
