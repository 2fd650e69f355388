/** Resources that are computed on request and never stored, such as access reviews. */
import type { Resource } from '../../api/index.ts'
import { decodeBody } from '../encoding/decode.ts'
import { encodeComputedList, encodeComputedTable } from '../encoding/encode.ts'
import { bodyMedia, contentTypes, formatOf } from '../encoding/negotiate.ts'
import type { VirtualResource } from '../options.ts'
import { runVirtual } from '../registry/virtual.ts'
import { readBody } from './body.ts'
import { writeQuery } from './options.ts'
import type { ApiRequest, ApiResponse } from './request.ts'
import type { ResourceEnvironment } from './resource-request.ts'
import { encodeOptions, sendAny } from './resource-response.ts'
import { send } from './respond.ts'

/** Computes and sends the object or the list. */
export async function compute(env: ResourceEnvironment, request: ApiRequest, response: ApiResponse, resource: Resource, virtual: VirtualResource): Promise<void> {
  const { info, user, signal, trail } = request
  const warnings = (request.warnings = [] as string[])
  const { dryRun, fieldValidation } = writeQuery(request, 'CreateOptions')
  // Kinds that are never listed have no table.
  const format = formatOf(request.headers.accept, false, !virtual.printer)
  const { code, type, object, items } = await runVirtual(
    { virtual, resource, info, user, signal, now: env.registry.clock.now(), dryRun, warnings, trail },
    async (expected) => {
      const body = decodeBody(await readBody(request), expected, { media: bodyMedia(request.headers['content-type']), validation: fieldValidation, warn: (text) => void warnings.push(text) })
      trail?.requestObject(body)
      return body
    },
  )
  const answer = { env, request, response, code, warnings }
  const options = { ...encodeOptions(env, request), format }
  const shown = items ?? (object ? [object] : [])
  const asTable = options.format.as === 'Table' && virtual.printer
  if (object && !asTable) return sendAny(answer, object, type)
  const body = asTable ? encodeComputedTable(asTable, shown, options) : encodeComputedList(resource, shown, options)
  await send(request, response, { code, type: contentTypes[options.format.media], body, warnings })
}
