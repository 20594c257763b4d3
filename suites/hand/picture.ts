import { readFile } from "node:fs/promises";

/** A picture: its pixels as 0xRRGGBB, row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint32Array;
}

/** Of an X Window Dump's header, the fields that are read, by their place among its 32-bit numbers. Source: X11/XWDFile.h. */
const field = { headerSize: 0, width: 4, height: 5, bitsPerPixel: 11, bytesPerLine: 12, colours: 19 } as const;

/** The screen of an Xvfb that keeps it in a file (`-fbdir`), as it is now. @throws RangeError when it is not of 32 bits a pixel. */
export async function screenPicture(file: string): Promise<Picture> {
  const dump = await readFile(file);
  const number = (place: number): number => dump.readUInt32BE(place * 4);
  const [width, height, bytesPerLine] = [number(field.width), number(field.height), number(field.bytesPerLine)];
  if (number(field.bitsPerPixel) !== 32) throw new RangeError(`${file} has ${number(field.bitsPerPixel)} bits a pixel, not 32`);
  const start = number(field.headerSize) + number(field.colours) * 12;
  const pixels = new Uint32Array(width * height);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) pixels[row * width + column] = dump.readUInt32LE(start + row * bytesPerLine + column * 4) & 0xffffff;
  }
  return { width, height, pixels };
}

/** A picture in the portable pixmap format, of 8 bits a colour. @throws RangeError when it is none. */
export async function pixmapPicture(file: string): Promise<Picture> {
  const bytes = await readFile(file);
  const header = /^P6\s(\d+)\s(\d+)\s255\s/u.exec(bytes.toString("latin1", 0, 64));
  if (header === null) throw new RangeError(`${file} is no pixmap`);
  const [width, height] = [Number(header[1]), Number(header[2])];
  const pixels = new Uint32Array(width * height);
  for (let pixel = 0; pixel < pixels.length; pixel += 1) pixels[pixel] = bytes.readUIntBE(header[0].length + pixel * 3, 3);
  return { width, height, pixels };
}

/** The part of a picture that has this colour, from 0 to 1. */
export function shareOf({ pixels }: Picture, colour: number): number {
  return pixels.reduce((sum, pixel) => sum + (pixel === colour ? 1 : 0), 0) / pixels.length;
}

/** How many colours a picture has. */
export function coloursOf({ pixels }: Picture): number {
  return new Set(pixels).size;
}
