/** What mutating policies have besides: patches, and the keys of their paths. */
import { fn, traverse, type FunctionDeclaration } from '../functions.ts'
import { DYN, STRING, objectOf } from '../types.ts'

/** `JSONPatch{op: 'add', path: '/metadata/labels/a', value: 'b'}` */
export const JSON_PATCH = objectOf('JSONPatch', { op: STRING, path: STRING, from: STRING, value: DYN })

export const mutation: readonly FunctionDeclaration[] = [
  fn('jsonpatch.escapeKey', 'string_jsonpatch_escapeKey_string', [STRING], STRING, (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1'), traverse()),
]
