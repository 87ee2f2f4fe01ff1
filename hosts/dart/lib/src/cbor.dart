// SPDX-License-Identifier: MIT
import 'dart:convert';
import 'dart:typed_data';

/// Reads the CBOR (RFC 8949) in which values and events cross from native code.
///
/// Only what the library writes is read: definite lengths, and its tags for
/// NONE (6), datetimes (12), durations (14) and UUIDs (37).
class CborReader {
  /// Reads from [bytes], which are not copied.
  CborReader(Uint8List bytes)
      : _bytes = bytes,
        _view = ByteData.sublistView(bytes);

  final Uint8List _bytes;
  final ByteData _view;
  int _at = 0;

  /// True while there is more to read.
  bool get hasMore => _at < _bytes.length;

  int _argument(int info) {
    if (info < 24) return info;
    final at = _at;
    switch (info) {
      case 24:
        _at += 1;
        return _view.getUint8(at);
      case 25:
        _at += 2;
        return _view.getUint16(at);
      case 26:
        _at += 4;
        return _view.getUint32(at);
      case 27:
        _at += 8;
        return _view.getUint64(at);
    }
    throw FormatException('a head of $info is not written by the library', null, at);
  }

  /// Reads one item.
  Object? read() {
    final first = _view.getUint8(_at++);
    final info = first & 31;
    switch (first >> 5) {
      case 0:
        return _argument(info);
      case 1:
        return -1 - _argument(info);
      case 2:
        return _slice(_argument(info));
      case 3:
        return utf8.decode(_slice(_argument(info)));
      case 4:
        return List<Object?>.generate(_argument(info), (_) => read());
      case 5:
        final len = _argument(info);
        return <String, Object?>{for (var i = 0; i < len; i++) read()! as String: read()};
      case 6:
        return _tagged(_argument(info), read());
      default:
        return _simple(info);
    }
  }

  Uint8List _slice(int len) {
    final slice = Uint8List.sublistView(_bytes, _at, _at + len);
    _at += len;
    return slice;
  }

  Object? _tagged(int tag, Object? content) {
    switch (tag) {
      case 12:
        final parts = content! as List<Object?>;
        return DateTime.fromMicrosecondsSinceEpoch(
            (parts[0]! as int) * 1000000 + (parts[1]! as int) ~/ 1000,
            isUtc: true);
      case 14:
        final parts = content! as List<Object?>;
        return Duration(seconds: parts[0]! as int, microseconds: (parts[1]! as int) ~/ 1000);
      default:
        return content;
    }
  }

  Object? _simple(int info) {
    final at = _at;
    switch (info) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
      case 23:
        return null;
      case 25:
        _at += 2;
        return _half(_view.getUint16(at));
      case 26:
        _at += 4;
        return _view.getFloat32(at);
      case 27:
        _at += 8;
        return _view.getFloat64(at);
    }
    throw FormatException('an unknown simple value', null, at);
  }

  static double _half(int bits) {
    final exponent = bits >> 10 & 31;
    final fraction = bits & 1023;
    final sign = bits & 0x8000 != 0 ? -1.0 : 1.0;
    if (exponent == 31) return fraction == 0 ? sign * double.infinity : double.nan;
    if (exponent == 0) return sign * fraction / 16777216.0;
    final scaled = exponent >= 25
        ? (1024 + fraction) * (1 << (exponent - 25)).toDouble()
        : (1024 + fraction) / (1 << (25 - exponent));
    return sign * scaled;
  }
}
