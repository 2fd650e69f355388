/** A struct's fields as the codecs see them: inline structs are flattened into their parent, and a root has `kind` and `apiVersion` first. */
import { resolve, string, type AnyType, type Field, type FieldOptions, type Presence, type StructType } from '../api/schema.ts'

/** One property of the JSON object. */
export interface Slot {
  readonly name: string
  readonly presence: Presence
  readonly type: Exclude<AnyType, { form: 'lazy' }>
  readonly options: FieldOptions
  /** Present in every decoded object, whatever was sent. */
  readonly always: boolean
  /** The inline structs it comes from, as errors name them: `VolumeSource.`; usually empty. */
  readonly via: string
}

export interface SlotTable {
  readonly slots: readonly Slot[]
  readonly index: ReadonlyMap<string, number>
}

const tables = new WeakMap<StructType, SlotTable>()

const typeMeta: readonly Slot[] = ['kind', 'apiVersion'].map((name) => ({ name, presence: 'zero', type: string, options: {}, always: false, via: '' }))

function slotsOf(type: StructType, via = ''): Slot[] {
  const out: Slot[] = type.root ? [...typeMeta] : []
  for (const [name, field] of Object.entries(type.fields)) {
    const target = resolve(field.type)
    if (field.inline && target.form === 'struct') out.push(...slotsOf(target, `${via}${target.name}.`))
    else out.push({ name, presence: field.presence, type: target, options: field, always: isAlways(field), via })
  }
  return out
}

const isAlways = (field: Field) => field.presence === 'req' || field.presence === 'fill'

/** The properties of a struct's JSON object, in order. Computed once per type. */
export function slotTable(type: StructType): SlotTable {
  let table = tables.get(type)
  if (!table) {
    const slots = slotsOf(type)
    table = { slots, index: new Map(slots.map((slot, i) => [slot.name, i])) }
    tables.set(type, table)
  }
  return table
}
