/** What a schema says in vain. */
import { isKnownFormat } from '../formats.ts'
import { additionalOf, itemsOf, type Schema } from '../props.ts'

/** `unrecognized format "x"`, once for each format that is ignored. */
export const formatWarnings = (schema: Schema | undefined): readonly string[] => [...new Set(unknownFormats(schema))].map((format) => `unrecognized format ${JSON.stringify(format)}`)

function unknownFormats(schema: Schema | undefined): readonly string[] {
  if (!schema) return []
  const parts = [...Object.values(schema.properties ?? {}), additionalOf(schema), itemsOf(schema)]
  return [...(schema.format && !isKnownFormat(schema) ? [schema.format] : []), ...parts.flatMap(unknownFormats)]
}
