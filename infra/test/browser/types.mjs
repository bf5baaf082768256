// Types of what the API takes and gives, made of its own description (web/schemas.d.ts, not kept in git); then the check of the
// page against them.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const OUT = at('../../../crates/dashboard/web/schemas.d.ts');
const document = JSON.parse(readFileSync(at('../../../crates/api/openapi/collector.json'), 'utf8'));

const NAMES = { integer: 'number', number: 'number', string: 'string', boolean: 'boolean', null: 'null' };

/** A schema as a type. */
function type(schema) {
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.allOf) return schema.allOf.map(type).join(' & ');
  if (Array.isArray(schema.type)) return schema.type.map((one) => type({ ...schema, type: one })).join(' | ');
  if (schema.type === 'array') return `Array<${schema.items ? type(schema.items) : 'any'}>`;
  if (schema.type === 'object') return object(schema);
  return NAMES[schema.type] ?? 'any';
}

function object({ properties, required = [], additionalProperties }) {
  if (!properties) return `Record<string, ${typeof additionalProperties === 'object' ? type(additionalProperties) : 'any'}>`;
  const members = Object.entries(properties).map(
    ([name, schema]) => `${/^\w+$/.test(name) ? name : JSON.stringify(name)}${required.includes(name) ? '' : '?'}: ${type(schema)};`,
  );
  return `{ ${members.join(' ')} }`;
}

const schemas = Object.entries(document.components.schemas);
const made = [
  '// Made of crates/api/openapi/collector.json by infra/test/browser/types.mjs. Not part of what is served.',
  ...schemas.map(([name, schema]) => `export type ${name} = ${type(schema)};`),
  `export type Schemas = { ${schemas.map(([name]) => `${name}: ${name};`).join(' ')} };`,
  '',
].join('\n');

writeFileSync(OUT, made);
execFileSync(at('node_modules/.bin/tsc'), ['-p', at('tsconfig.json')], { stdio: 'inherit' });
console.log('types: all well');
