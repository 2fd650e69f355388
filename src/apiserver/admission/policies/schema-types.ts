/** The CEL type of a kind, from its schema: what finds mistakes in expressions that are about one kind. */
import { resolve, type AnyType, type ScalarName, type StructType } from '../../../api/schema.ts'
import type { CelField, CelObjectType, CelType } from '../../../machinery/cel/index.ts'
import type { Cel } from './cel.ts'

const known = new WeakMap<StructType, CelObjectType>()

/** Fields have the names that they have in JSON. What a schema leaves open is of dynamic type. */
export function celTypeOf(cel: Cel, type: AnyType): CelType {
  const found = resolve(type)
  switch (found.form) {
    case 'scalar': return scalar(cel, found.name)
    case 'list': return cel.listOf(celTypeOf(cel, found.of))
    case 'map': return cel.mapOf(celTypeOf(cel, found.of))
    case 'struct': return structType(cel, found)
  }
}

function scalar({ STRING, BOOL, INT, DOUBLE, BYTES, TIMESTAMP, DYN }: Cel, name: ScalarName): CelType {
  switch (name) {
    case 'string': case 'duration': return STRING
    case 'bool': return BOOL
    case 'int32': case 'int64': return INT
    case 'double': return DOUBLE
    case 'bytes': return BYTES
    case 'time': case 'microTime': return TIMESTAMP
    default: return DYN
  }
}

function structType(cel: Cel, type: StructType): CelObjectType {
  const before = known.get(type)
  if (before) return before
  const fields = new Map<string, CelField>(type.root ? ['apiVersion', 'kind'].map((json) => [json, { type: cel.STRING, json }]) : [])
  const made: CelObjectType = { kind: 'object', name: type.name, fields, open: type.others !== undefined }
  // Types may be parts of themselves: it is known before its fields are.
  known.set(type, made)
  for (const [json, field] of Object.entries(type.fields)) {
    const of = celTypeOf(cel, field.type)
    if (field.inline && of.kind === 'object') for (const [name, inner] of of.fields) fields.set(name, inner)
    else fields.set(json, { type: of, json })
  }
  return made
}
