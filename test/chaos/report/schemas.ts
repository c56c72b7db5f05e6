/** The JSON schemas as they are published. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export const SCHEMAS = join(import.meta.dirname, '../../../schemas');

/** As far as a program needs to know before it reads one. */
const JsonSchema = z.looseObject({ $schema: z.literal('https://json-schema.org/draft/2020-12/schema') });

export type SchemaName =
  | 'chaos_resilience_validation'
  | 'chaos_suite'
  | 'consistency_checks'
  | 'control_plane_dumps'
  | 'incident'
  | 'resource_metrics_timeline';

export function schemaNamed(name: SchemaName): z.ZodType {
  const schema: unknown = JSON.parse(readFileSync(join(SCHEMAS, `${name}.schema.json`), 'utf8'));
  return z.fromJSONSchema(JsonSchema.parse(schema));
}
