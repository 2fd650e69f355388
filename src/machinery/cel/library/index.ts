/** Everything that every expression can call. A library is one file and one line here. */
import type { FunctionDeclaration } from '../functions.ts'
import { operators } from './operators.ts'
import { optionals } from './optional.ts'
import { standard } from './standard.ts'

export const libraries: readonly (readonly FunctionDeclaration[])[] = [operators, standard, optionals]
