/** `apiserver.config.k8s.io/v1 EncryptionConfiguration`: which resources are encrypted, and by which providers. */
import { int32, list, opt, req, root, string, struct, zero, type Of } from '../../api/schema.ts'
import { parseConfiguration } from '../../machinery/configuration.ts'
import { path, type FieldError, type Path } from '../../machinery/field.ts'
import { parseDuration } from '../../machinery/time.ts'
import { aescbc, aesgcm } from './aes.ts'
import { identity, type Provider } from './provider.ts'
import { secretbox } from './secretbox.ts'

const Key = struct('Key', { name: req(0, string), secret: req(0, string) })
const Keys = struct('AESConfiguration', { keys: req(0, list(Key)) })
const Kms = struct('KMSConfiguration', { apiVersion: zero(0, string), name: req(0, string), cachesize: opt(0, int32), endpoint: req(0, string), timeout: opt(0, string) })
const ProviderConfiguration = struct('ProviderConfiguration', {
  aesgcm: opt(0, Keys),
  aescbc: opt(0, Keys),
  secretbox: opt(0, Keys),
  identity: opt(0, struct('IdentityConfiguration', {})),
  kms: opt(0, Kms),
})
const ResourceConfiguration = struct('ResourceConfiguration', { resources: req(0, list(string)), providers: req(0, list(ProviderConfiguration)) })
const EncryptionConfiguration = root('EncryptionConfiguration', { resources: req(0, list(ResourceConfiguration)) })
type ProviderConfiguration = Of<typeof ProviderConfiguration>

/** A key management service that a configuration names. */
export interface KmsOptions {
  readonly name: string
  /** `unix:///path/to/socket`. */
  readonly endpoint: string
  /** Milliseconds for one call. */
  readonly timeout: number
}

export interface Configured {
  /** The providers of a resource, the writing one first; undefined: it is not spoken of. */
  providersOf(group: string, plural: string): readonly Provider[] | undefined
}

/** Makes the provider of a key management service; services of the same name and place share one. */
export type MakeKms = (options: KmsOptions) => Provider

const defaultTimeout = 3000

/** Reads a configuration. Throws an `Error` of one line that names the line and the field that is wrong, never a key. */
export function parseEncryption(text: string, makeKms: MakeKms): Configured {
  const { value, refuse } = parseConfiguration(text, EncryptionConfiguration, { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration' })
  const root = path('resources')
  refuse([
    ...(value.resources.length === 0 ? [root.required()] : []),
    ...value.resources.flatMap(({ resources, providers }, i) => [
      ...resourceErrors(resources, root.index(i).at('resources')),
      ...(providers.length === 0 ? [root.index(i).at('providers').required('at least one provider is needed')] : []),
      ...providers.flatMap((provider, j) => providerErrors(provider, root.index(i).at('providers').index(j))),
    ]),
    ...maskedErrors(value.resources.map(({ resources }) => resources), root),
    ...kmsNameErrors(value.resources.flatMap<ProviderConfiguration>(({ providers }) => providers), root),
  ])
  const entries = value.resources.map(({ resources, providers }) => ({ resources, providers: providers.flatMap((provider) => providersOf(provider, makeKms)) }))
  return { providersOf: (group, plural) => entries.find(({ resources }) => resources.some((name) => covers(name, group, plural)))?.providers }
}

/** `secrets`, `deployments.apps`, `*.apps`, `*.` (everything in the core group), `*.*`. */
function covers(name: string, group: string, plural: string): boolean {
  if (name === '*.*') return true
  const dot = name.indexOf('.')
  const [resource, of] = dot < 0 ? [name, ''] : [name.slice(0, dot), name.slice(dot + 1)]
  return of === group && (resource === '*' || resource === plural)
}

function resourceErrors(resources: readonly string[], at: Path): FieldError[] {
  if (resources.length === 0) return [at.required('at least one resource is needed')]
  return resources.flatMap((name, i) => {
    const here = at.index(i)
    if (name === '*') return [here.invalid(name, 'use *.* to encrypt all resources, *. for those of the core group')]
    if (name !== name.toLowerCase()) return [here.invalid(name, 'resource names are in lower case')]
    if (name === '' || name.includes('/')) return [here.invalid(name, 'must be a resource name, such as secrets or deployments.apps, without a subresource')]
    if (name.startsWith('*') && !name.startsWith('*.')) return [here.invalid(name, 'a wildcard stands alone before the group: *.<group>')]
    if (name.slice(1).includes('*') && name !== '*.*') return [here.invalid(name, 'wildcards may only stand for all resources of a group, or for everything')]
    const group = groupOf(name)
    if (group === 'events.k8s.io') return [here.invalid(name, 'these objects are stored as events of the core group: use \'events\'')]
    if (group === 'extensions') return [here.invalid(name, '\'extensions\' group has been removed and cannot be used for encryption')]
    if (resources.indexOf(name) < i) return [here.duplicate(name)]
    const wider = resources.find((other) => other !== name && masks(other, name))
    return wider === undefined ? [] : [here.invalid(name, `is covered by ${JSON.stringify(wider)} in the same list, and would never be used`)]
  })
}

const groupOf = (name: string): string => (name.includes('.') ? name.slice(name.indexOf('.') + 1) : '')

/** Whether everything that `name` means is meant by `earlier`. */
function masks(earlier: string, name: string): boolean {
  const dot = name.indexOf('.')
  return earlier === name || (name !== '*.*' && covers(earlier, groupOf(name), dot < 0 ? name : name.slice(0, dot)))
}

/** A resource that an earlier entry covers would never be looked up in a later one. */
function maskedErrors(entries: readonly (readonly string[])[], root: Path): FieldError[] {
  return entries.flatMap((resources, i) => resources.flatMap((name, j) => {
    const masked = entries.slice(0, i).some((earlier) => earlier.some((other) => masks(other, name)))
    return masked ? [root.index(i).at('resources').index(j).invalid(name, 'is covered by an earlier entry, and would never be used')] : []
  }))
}

/** Of a duration as Go writes it; 0 for what is none. */
const milliseconds = (text: string): number => Number((parseDuration(text) ?? 0n) / 1_000_000n)

const kinds = ['aesgcm', 'aescbc', 'secretbox', 'identity', 'kms'] as const

function providerErrors(provider: ProviderConfiguration, at: Path): FieldError[] {
  const given = kinds.filter((kind) => provider[kind] !== undefined)
  if (given.length !== 1) return [at.invalid(given.join(', '), `a provider is exactly one of ${kinds.join(', ')}`)]
  const kind = given[0]!
  if (kind === 'identity') return []
  if (kind === 'kms') return kmsErrors(provider.kms!, at.at('kms'))
  return keyErrors(provider[kind]!.keys, at.at(kind).at('keys'), kind === 'secretbox' ? [32] : [16, 24, 32])
}

function keyErrors(keys: readonly Of<typeof Key>[], at: Path, lengths: readonly number[]): FieldError[] {
  if (keys.length === 0) return [at.required('at least one key is needed')]
  return keys.flatMap(({ name, secret }, i) => {
    const here = at.index(i)
    const errors: FieldError[] = []
    if (name === '') errors.push(here.at('name').required())
    else if (name.includes(':')) errors.push(here.at('name').invalid(name, 'must not contain a colon'))
    if (secret === '') errors.push(here.at('secret').required())
    else if (!/^[A-Za-z0-9+/]+={0,2}$/.test(secret)) errors.push(here.at('secret').invalid('[hidden]', 'secrets are base64 text'))
    else if (!lengths.includes(Buffer.from(secret, 'base64').length)) errors.push(here.at('secret').invalid('[hidden]', `expected a key of ${lengths.join(', ')} bytes`))
    return errors
  })
}

function kmsErrors({ apiVersion = '', name, endpoint, timeout, cachesize }: Of<typeof Kms>, at: Path): FieldError[] {
  const errors: FieldError[] = []
  if (apiVersion !== 'v2') errors.push(at.at('apiVersion').notSupported(apiVersion || 'v1', ['v2']))
  if (name === '') errors.push(at.at('name').required())
  else if (name.includes(':')) errors.push(at.at('name').invalid(name, 'must not contain a colon'))
  if (!/^unix:\/\/\/?./.test(endpoint)) errors.push(at.at('endpoint').invalid(endpoint, 'must be the address of a unix socket: unix:///path'))
  if (timeout !== undefined && milliseconds(timeout) <= 0) errors.push(at.at('timeout').invalid(timeout, 'should be a positive duration, such as 3s'))
  if (cachesize !== undefined) errors.push(at.at('cachesize').invalid(cachesize, 'cachesize is not supported in v2'))
  return errors
}

/** Two services under one name would take each other's values for their own. */
function kmsNameErrors(providers: readonly ProviderConfiguration[], at: Path): FieldError[] {
  const names = providers.flatMap(({ kms }) => (kms ? [kms.name] : []))
  return names.filter((name, i) => name !== '' && names.indexOf(name) < i).map((name) => at.invalid(name, `duplicate KMS provider name ${name}, names must be unique`))
}

function providersOf(given: ProviderConfiguration, makeKms: MakeKms): readonly Provider[] {
  const each = (keys: Of<typeof Keys> | undefined, make: (name: string, key: Uint8Array) => Provider) =>
    (keys?.keys ?? []).map(({ name, secret }) => make(name, Buffer.from(secret, 'base64')))
  return [
    ...each(given.aesgcm, aesgcm),
    ...each(given.aescbc, aescbc),
    ...each(given.secretbox, secretbox),
    ...(given.identity ? [identity] : []),
    ...(given.kms ? [makeKms({ name: given.kms.name, endpoint: given.kms.endpoint, timeout: given.kms.timeout === undefined ? defaultTimeout : milliseconds(given.kms.timeout) })] : []),
  ]
}
