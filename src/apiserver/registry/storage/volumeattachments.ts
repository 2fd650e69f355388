/** Volume attachments. */
import type { storage } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { dns1123Subdomain } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { driverName, follows, unchanged, within } from '../checks.ts'
import { ageColumn, boolean, nameColumn, printer, text } from '../printing.ts'
import { sizeOf } from './parameters.ts'

function validate({ spec }: storage.VolumeAttachment, root: Place): void {
  const at = root.at('spec')
  driverName(at.at('attacher'), spec.attacher)
  const { inlineVolumeSpec, persistentVolumeName } = spec.source
  if (inlineVolumeSpec === undefined && persistentVolumeName === undefined) at.at('source').required('must specify exactly one of inlineVolumeSpec and persistentVolumeName')
  else if (inlineVolumeSpec !== undefined && persistentVolumeName !== undefined) at.at('source').forbidden('must specify exactly one of inlineVolumeSpec and persistentVolumeName')
  else if (persistentVolumeName === '') at.at('source').at('persistentVolumeName').required('must specify non empty persistentVolumeName')
  else if (persistentVolumeName !== undefined) follows(at.at('source').at('persistentVolumeName'), persistentVolumeName, dns1123Subdomain)
  follows(at.at('nodeName'), spec.nodeName, dns1123Subdomain)
}

const largestMetadata = 256 * 1024
const longestMessage = 1024

function status(at: Place, value: storage.VolumeAttachmentStatus): void {
  if (sizeOf(value.attachmentMetadata) > largestMetadata) at.at('attachmentMetadata').tooLong(largestMetadata)
  for (const name of ['attachError', 'detachError'] as const) {
    const error = value[name]
    // The limit that Kubernetes names is the other one.
    if (Buffer.byteLength(error?.message ?? '') > longestMessage) at.at(name).at('message').tooLong(largestMetadata)
    within(at.at(name).at('errorCode'), error?.errorCode, 0, 2_147_483_647)
  }
}

export const volumeattachments: Strategy<storage.VolumeAttachment> = {
  counted: false,
  unconditionalUpdate: false,
  statusOnly: true,
  validate,
  validateUpdate: (next, current, root) => {
    validate(next, root)
    unchanged(root.at('spec'), next.spec, current.spec)
  },
  validateStatusUpdate: (next, _current, root) => status(root.at('status'), next.status),
  printer: printer<storage.VolumeAttachment>(
    nameColumn,
    { ...text<storage.VolumeAttachment>('Attacher', 'The driver that attaches the volume.', (o) => o.spec.attacher), format: 'name' },
    text('PV', 'The volume.', (o) => o.spec.source.persistentVolumeName ?? ''),
    text('Node', 'The node it is attached to.', (o) => o.spec.nodeName),
    boolean('Attached', 'Whether it is attached.', (o) => o.status.attached),
    ageColumn,
  ),
}
