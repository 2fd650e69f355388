/** Everything that every expression can call. A library is one file and one line here. */
import type { FunctionDeclaration } from '../functions.ts'
import { authorizer } from './authorizer.ts'
import { namedFormats } from './formats.ts'
import { addresses } from './ip.ts'
import { listFunctions } from './list-functions.ts'
import { lists, sets } from './lists.ts'
import { operators } from './operators.ts'
import { optionals } from './optional.ts'
import { quantities } from './quantity.ts'
import { regexes } from './regex.ts'
import { semvers } from './semver.ts'
import { standard } from './standard.ts'
import { strings } from './strings.ts'
import { urls } from './url.ts'

export const libraries: readonly (readonly FunctionDeclaration[])[] =
  [operators, standard, optionals, strings, lists, listFunctions, sets, regexes, urls, quantities, addresses, semvers, namedFormats, authorizer]
