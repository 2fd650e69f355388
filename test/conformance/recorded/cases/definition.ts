/** Short forms of definitions, for cases. */
import type { Definition } from '../suite.ts'

type Json = Record<string, unknown>

export interface Kind extends Json {
  readonly group?: string
  readonly kind?: string
  readonly scope?: string
  readonly schema?: Json
  /** Beside the schema: subresources, printer columns. */
  readonly version?: Json
  readonly versions?: readonly Json[]
  readonly names?: Json
  readonly spec?: Json
  readonly metadata?: Json
}

/** A definition of one version `v1`, with any part replaced. */
export function definition({ group = 'example.com', kind = 'Thing', scope = 'Namespaced', schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, version = {}, versions, names = {}, spec = {}, metadata = {} }: Kind = {}): Definition {
  const plural = `${kind.toLowerCase()}s`
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, ...metadata },
    spec: {
      group, scope,
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List`, ...names },
      versions: versions ?? [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...version }],
      ...spec,
    },
  } as unknown as Definition
}

/** A schema of an object whose `spec` has these properties. */
export const specOf = (properties: Json, more: Json = {}): Json => ({ type: 'object', properties: { spec: { type: 'object', properties, ...more } } })
