/** Header values as people mean them: names are UTF-8 on the wire, and Node gives and takes the bytes one by one (latin1). */

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of a received header value; what is no UTF-8 stays as it came. */
export function receivedText(value: string): string {
  if (!/[\u0080-\u00ff]/.test(value)) return value
  try {
    return utf8.decode(Buffer.from(value, 'latin1'))
  } catch {
    return value
  }
}

/** The value to set for a text, so that its UTF-8 goes out. */
export const sentText = (text: string): string => Buffer.from(text).toString('latin1')
