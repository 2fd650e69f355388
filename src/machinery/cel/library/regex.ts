/** Kubernetes's `find` and `findAll`. */
import { fail } from '../errors.ts'
import { method, regexCost, type FunctionDeclaration } from '../functions.ts'
import { regex as compiled, type Regex } from '../regex.ts'
import { INT, STRING, listOf } from '../types.ts'
import { CelList } from '../values.ts'

/** What a pattern that only the evaluation knows has wrong, is said with two words more. */
const regex = (pattern: string): Regex => compiled(pattern, 'Illegal regex: ')

const findAll = (text: string, pattern: string, limit = -1n): CelList => {
  if (limit > 0x7fffffffn) return fail('integer overflow')
  return new CelList(regex(pattern).findAll(text, limit < 0n ? Infinity : Number(limit)))
}

export const regexes: readonly FunctionDeclaration[] = [
  method('find', 'string_find_string', [STRING, STRING], STRING, (text: string, pattern: string) => regex(pattern).findAll(text, 1)[0] ?? '', regexCost),
  method('findAll', 'string_find_all_string', [STRING, STRING], listOf(STRING), (text: string, pattern: string) => findAll(text, pattern), regexCost),
  method('findAll', 'string_find_all_string_int', [STRING, STRING, INT], listOf(STRING), findAll, regexCost),
]
