/** One Plotly trace: its `type` and whatever attributes that type takes. */
export interface Trace {
  readonly type: string;
  readonly name?: string;
  readonly [attribute: string]: unknown;
}

/** Plotly layout. The title states the finding; every axis has a title with its unit. */
export interface Layout {
  readonly title: { readonly text: string; readonly [attribute: string]: unknown };
  readonly [attribute: string]: unknown;
}

/** A Plotly figure as plain data: JSON-safe, deterministic, drawn by nobody until it is shown. */
export interface Figure {
  readonly data: readonly Trace[];
  readonly layout: Layout;
}
