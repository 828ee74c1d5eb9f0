// Writes JSON as TypeScript literals and remembers where each value went, so that the compiler's
// complaint about an offset in the source can be told as a JSON path.

/** A property name as it stands in a JSON path. */
export function step(path, key) {
  if (typeof key === 'number') return `${path}[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

/**
 * Collects source text and the spans of the values in it.
 *
 * A literal must be written in place (not bound to a variable first): only then does TypeScript
 * complain about properties that a type does not know.
 */
export class Writer {
  #parts = [];
  #length = 0;
  /** {start, end, check, path}: offsets into the source, in the order of their start. */
  spans = [];

  /** The source so far. */
  get text() {
    return this.#parts.join('');
  }

  /** Adds source that belongs to no value. */
  raw(text) {
    this.#parts.push(text);
    this.#length += text.length;
  }

  /**
   * Writes one statement that holds only if `value` satisfies `type`.
   *
   * `holes` is a set of JSON paths that are judged elsewhere; `never` fits every type there.
   */
  statement(check, type, value, path, holes) {
    const span = { start: this.#length, end: 0, check, path };
    this.spans.push(span);
    this.raw('void (');
    this.#value(check, value, path, holes);
    this.raw(` satisfies ${type});\n`);
    span.end = this.#length;
  }

  #value(check, value, path, holes) {
    if (holes.has(path)) {
      this.raw('(undefined as never)');
    } else if (Array.isArray(value)) {
      this.raw('[');
      value.forEach((item, index) => {
        const at = step(path, index);
        this.#spanned(check, at, () => this.#value(check, item, at, holes));
        this.raw(',');
      });
      this.raw(']');
    } else if (value !== null && typeof value === 'object') {
      this.raw('{');
      for (const [key, item] of Object.entries(value)) {
        const at = step(path, key);
        this.#spanned(check, at, () => {
          // A bare __proto__ would set the prototype in place of naming a property.
          const name = JSON.stringify(key);
          this.raw(key === '__proto__' ? `[${name}]: ` : `${name}: `);
          this.#value(check, item, at, holes);
        });
        this.raw(',');
      }
      this.raw('}');
    } else {
      this.raw(JSON.stringify(value));
    }
  }

  #spanned(check, path, write) {
    const span = { start: this.#length, end: 0, check, path };
    this.spans.push(span);
    write();
    span.end = this.#length;
  }

  /** The innermost span around an offset of the source, or undefined. */
  at(offset) {
    let low = 0;
    let high = this.spans.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.spans[middle].start <= offset) low = middle + 1;
      else high = middle;
    }
    for (let index = low - 1; index >= 0; index -= 1) {
      if (this.spans[index].end > offset) return this.spans[index];
    }
    return undefined;
  }
}
