/** Turns what a schema found wrong with a request into one line that names field, value and bound. */
import type { z } from 'zod';
import { ConfigurationError } from '../errors.js';

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

function boundOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'too_small':
      return `must be ${issue.inclusive === false ? 'above' : 'at least'} ${issue.minimum}`;
    case 'too_big':
      return `must be ${issue.inclusive === false ? 'below' : 'at most'} ${issue.maximum}`;
    case 'invalid_type':
      return `must be of type ${issue.expected}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      return 'pattern' in issue && issue.pattern !== undefined ? `must match ${issue.pattern}` : `must be a ${issue.format}`;
    case 'invalid_union': {
      const bounds = issue.errors.flatMap((issues) => issues.slice(0, 1).map(boundOf));
      return bounds.length > 0 ? bounds.join(', or ') : 'must be one of the known kinds';
    }
    default:
      return issue.message;
  }
}

/** Throws a ConfigurationError for the first thing that is wrong. */
export function parseWith<S extends z.ZodType>(schema: S, input: unknown, name: string): z.output<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw new ConfigurationError(name, input, 'must be well-formed');
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    throw new ConfigurationError([...issue.path, key].join('.'), valueAt(input, [...issue.path, key]), 'is not known here');
  }
  throw new ConfigurationError(issue.path.join('.') || name, valueAt(input, issue.path), boundOf(issue));
}
