// Runs the TypeScript compiler once over all planned checks.

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { Writer } from './literal.mjs';
import { PRELUDE } from './plan.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));

/** The generated file exists in memory alone, but is resolved as if it lay beside this one. */
const GENERATED = path.join(HERE, 'recorded.generated.ts');

const OPTIONS = {
  strict: true,
  noEmit: true,
  // Only what we wrote is judged, not whether Slack's packages agree with express's types.
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts'],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  types: [],
};

/**
 * Judges the checks of a plan by the types.
 *
 * Returns problems ({source, path, message, value}). Throws if the compiler could not do its work
 * (types not installed, the prelude itself wrong): that must never look like a clean result.
 */
export function compile(checks) {
  if (checks.length === 0) return [];
  const writer = new Writer();
  writer.raw(PRELUDE);
  const preludeEnd = writer.text.length;
  for (const check of checks) {
    writer.statement(check, check.type, check.value, check.path, check.holes);
  }
  const source = writer.text;

  const host = ts.createCompilerHost(OPTIONS);
  const readFile = host.readFile.bind(host);
  const fileExists = host.fileExists.bind(host);
  const getSourceFile = host.getSourceFile.bind(host);
  host.readFile = (name) => (name === GENERATED ? source : readFile(name));
  host.fileExists = (name) => name === GENERATED || fileExists(name);
  host.getSourceFile = (name, ...rest) => (name === GENERATED
    ? ts.createSourceFile(name, source, OPTIONS.target, true)
    : getSourceFile(name, ...rest));

  const program = ts.createProgram([GENERATED], OPTIONS, host);
  const global = [...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()];
  const own = program.getSourceFile(GENERATED);
  const diagnostics = [...program.getSyntacticDiagnostics(own), ...program.getSemanticDiagnostics(own)];

  const broken = [...global, ...diagnostics.filter((it) => it.start === undefined || it.start < preludeEnd)];
  if (broken.length > 0) {
    throw new Error(`the types can't be used, so nothing was judged: ${broken.map(sentence).join('; ')}`);
  }
  return diagnostics.map((it) => {
    const span = writer.at(it.start);
    if (!span) throw new Error(`a complaint about no recorded value: ${sentence(it)}`);
    return {
      source: span.check.source,
      path: span.path,
      message: sentence(it),
      value: span.check.value,
    };
  });
}

function sentence(diagnostic) {
  return `TS${diagnostic.code}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ').replace(/\s+/g, ' ')}`;
}
