/** Secrets. */
import type { core } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { configMapKey } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { follows, unchanged } from '../checks.ts'
import { keyPairProblem } from './key-pair.ts'
import { frozen, maxDataBytes, sizeOf } from './data.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

const secretPrinter = printer<core.Secret>(
  nameColumn,
  text('Type', 'What the secret is for.', (o) => o.type ?? ''),
  text('Data', 'How many entries it holds.', (o) => Object.keys(o.data ?? {}).length),
  ageColumn,
)

/** Opaque unless it says otherwise; what was written as text becomes data. */
function withDefaults(secret: core.Secret): core.Secret {
  const { stringData, ...rest } = secret
  const typed = rest.type ? rest : { ...rest, type: 'Opaque' }
  if (!stringData) return typed
  const encoded = Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')])
  return { ...typed, data: { ...typed.data, ...Object.fromEntries(encoded) } }
}

const hidden = '<secret contents redacted>'
const tokenType = 'kubernetes.io/service-account-token'

function validate(secret: core.Secret, root: Place): void {
  const data = secret.data ?? {}
  for (const key of Object.keys(data)) follows(root.at('data').key(key), key, configMapKey)
  if (sizeOf({}, data) > maxDataBytes) root.at('data').tooLong(maxDataBytes)
  ofType(secret, data, root)
}

/** The entries that secrets of a known type must have. */
function ofType(secret: core.Secret, data: Readonly<Record<string, string>>, root: Place): void {
  const at = root.at('data')
  const has = (key: string) => Object.hasOwn(data, key)
  switch (secret.type) {
    case tokenType:
      if (!secret.metadata.annotations?.['kubernetes.io/service-account.name']) root.at('metadata').at('annotations').key('kubernetes.io/service-account.name').required()
      break
    case 'kubernetes.io/dockercfg': jsonEntry('.dockercfg', data, root); break
    case 'kubernetes.io/dockerconfigjson': jsonEntry('.dockerconfigjson', data, root); break
    case 'kubernetes.io/basic-auth':
      if (!has('username') && !has('password')) {
        at.key('username').required()
        at.key('password').required()
      }
      break
    case 'kubernetes.io/ssh-auth':
      if (!data['ssh-privatekey']) at.key('ssh-privatekey').required()
      break
    case 'kubernetes.io/tls':
      for (const key of ['tls.crt', 'tls.key']) if (!has(key)) at.key(key).required()
      break
    default:
  }
}

/** Why a text is no JSON object; the words show nothing of the text. */
function notAnObject(text: string): string | undefined {
  if (text.trim() === '') return 'unexpected end of JSON input'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return 'invalid JSON'
  }
  if (value === null) return undefined
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return kind === 'object' ? undefined : `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`
}

function jsonEntry(key: string, data: Readonly<Record<string, string>>, root: Place): void {
  const at = root.at('data').key(key)
  const value = data[key]
  if (value === undefined) return at.required()
  const why = notAnObject(Buffer.from(value, 'base64').toString())
  if (why) at.invalid(hidden, why)
}

function validateUpdate(next: core.Secret, current: core.Secret, root: Place): void {
  unchanged(root.at('type'), next.type, current.type)
  frozen(next, current, ['data'], root)
  validate(next, root)
}

/** A key that does not belong to its certificate is found by nobody before a server is to use it. */
function warnings({ type, data = {} }: core.Secret): readonly string[] {
  if (type !== 'kubernetes.io/tls') return []
  const text = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString('latin1')
  const problem = keyPairProblem(text('tls.crt'), text('tls.key'))
  return problem ? [problem] : []
}

export const secrets: Strategy<core.Secret> = {
  default: withDefaults,
  validate,
  validateUpdate,
  warnings,
  selectableFields: (secret) => ({ type: secret.type ?? '' }),
  printer: secretPrinter,
}
