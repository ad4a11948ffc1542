"""QR symbols in a picture, as a phone reads them."""

import zxingcpp
from PIL import Image


def codes_in(picture: Image.Image) -> list[zxingcpp.Barcode]:
    """Symbols of no other format are looked for: in one of some thousand QR symbols a reader also sees a bar code."""
    only_qr = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    return list(zxingcpp.read_barcodes(picture, formats=only_qr))
