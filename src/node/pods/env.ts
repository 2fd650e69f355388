/** A container's environment, as Kubernetes puts it together: services, then envFrom, then env; later ones win. */
import type { core } from '../../api/index.ts'
import { isNotFound } from '../../machinery/errors.ts'
import { podNamespace } from '../context.ts'
import { expand } from './expand.ts'
import { fieldValue, resourceValue, type Addresses } from './field-ref.ts'
import { serviceVariables } from './service-env.ts'

/** A container that cannot be configured: its reason is `CreateContainerConfigError`. */
export class ConfigError extends Error {
  readonly reason: string
  constructor(message: string, reason = 'CreateContainerConfigError') {
    super(message)
    this.name = 'ConfigError'
    this.reason = reason
  }
}

/** Where environments take their values from. */
export interface EnvSources {
  configMap(namespace: string, name: string): Promise<core.ConfigMap>
  secret(namespace: string, name: string): Promise<core.Secret>
  services(namespace: string): readonly core.Service[]
  allocatable(): Readonly<Record<string, string>> | undefined
}

export interface EnvVariable { readonly key: string; readonly value: string }

/** Throws `ConfigError` for a reference to what is not there (unless it is optional). */
export async function environment(pod: core.Pod, container: core.Container, addresses: Addresses, sources: EnvSources): Promise<readonly EnvVariable[]> {
  const services = serviceVariables(sources.services, podNamespace(pod), pod.spec.enableServiceLinks ?? true)
  const result = new Map<string, string>()
  for (const from of container.envFrom ?? []) for (const [key, value] of await valuesFrom(pod, from, sources)) result.set(key, value)
  const known = (name: string) => result.get(name) ?? services.get(name)
  for (const variable of container.env ?? []) {
    const value = variable.valueFrom ? await referenced(pod, container, variable.valueFrom, addresses, sources) : expand(variable.value ?? '', known)
    if (value !== undefined) result.set(variable.name, value)
  }
  for (const [key, value] of services) if (!result.has(key)) result.set(key, value)
  return [...result].map(([key, value]) => ({ key, value }))
}

async function valuesFrom(pod: core.Pod, from: core.EnvFromSource, sources: EnvSources): Promise<[string, string][]> {
  const prefix = from.prefix ?? ''
  const named = (data: Readonly<Record<string, string>> | undefined, decode: (text: string) => string): [string, string][] =>
    Object.keys(data ?? {}).toSorted().filter((key) => !key.includes('=')).map((key) => [prefix + key, decode(data?.[key] ?? '')])
  if (from.configMapRef) {
    const map = await lookup('configmap', from.configMapRef, () => sources.configMap(podNamespace(pod), from.configMapRef?.name ?? ''))
    return named(map?.data, (text) => text)
  }
  if (from.secretRef) {
    const secret = await lookup('secret', from.secretRef, () => sources.secret(podNamespace(pod), from.secretRef?.name ?? ''))
    return named(secret?.data, decoded)
  }
  return []
}

const decoded = (base64: string) => Buffer.from(base64, 'base64').toString()

async function referenced(pod: core.Pod, container: core.Container, from: core.EnvVarSource, addresses: Addresses, sources: EnvSources): Promise<string | undefined> {
  if (from.fieldRef) return fieldValue(pod, from.fieldRef.fieldPath, addresses)
  if (from.resourceFieldRef) {
    const { containerName } = from.resourceFieldRef
    const target = containerName ? [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((c) => c.name === containerName) : container
    if (!target) throw new ConfigError(`container ${containerName} not found`)
    return resourceValue(target, from.resourceFieldRef, sources.allocatable())
  }
  if (from.configMapKeyRef) return keyOfConfigMap(pod, from.configMapKeyRef, sources)
  if (from.secretKeyRef) return keyOfSecret(pod, from.secretKeyRef, sources)
  if (from.fileKeyRef) throw new ConfigError('environment variables from files (fileKeyRef) are not supported by this node')
  return ''
}

async function keyOfConfigMap(pod: core.Pod, ref: core.ConfigMapKeySelector, sources: EnvSources): Promise<string | undefined> {
  const map = await lookup('configmap', ref, () => sources.configMap(podNamespace(pod), ref.name ?? ''))
  const value = map?.data?.[ref.key]
  if (value === undefined && map && !ref.optional) throw new ConfigError(`couldn't find key ${ref.key} in ConfigMap ${podNamespace(pod)}/${ref.name}`)
  return value
}

async function keyOfSecret(pod: core.Pod, ref: core.SecretKeySelector, sources: EnvSources): Promise<string | undefined> {
  const secret = await lookup('secret', ref, () => sources.secret(podNamespace(pod), ref.name ?? ''))
  const value = secret?.data?.[ref.key]
  if (value === undefined && secret && !ref.optional) throw new ConfigError(`couldn't find key ${ref.key} in Secret ${podNamespace(pod)}/${ref.name}`)
  return value === undefined ? undefined : decoded(value)
}

async function lookup<T>(kind: string, ref: { readonly name?: string | undefined; readonly optional?: boolean | undefined }, get: () => Promise<T>): Promise<T | undefined> {
  try {
    return await get()
  } catch (error) {
    if (!isNotFound(error)) throw new ConfigError(error instanceof Error ? error.message : String(error))
    if (ref.optional) return undefined
    throw new ConfigError(`${kind} "${ref.name}" not found`)
  }
}
