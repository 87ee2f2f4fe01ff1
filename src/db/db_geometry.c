/* SPDX-License-Identifier: MIT */
/* Geometry values: checking coordinates, GeoJSON in and out. */
#include "core/error.h"
#include "db/db_value_internal.h"

static const struct {
  const char *name;
  const char *geojson;
  int depth; /* arrays around the two numbers of a point */
} shapes[] = {{"point", "Point", 1},           {"line", "LineString", 2},
              {"polygon", "Polygon", 3},       {"multipoint", "MultiPoint", 2},
              {"multiline", "MultiLineString", 3}, {"multipolygon", "MultiPolygon", 4},
              {"collection", "GeometryCollection", 1}};

const char *cwi_db_shape_name(cwi_db_shape shape) { return shapes[shape].name; }
const char *cwi_db_shape_geojson(cwi_db_shape shape) { return shapes[shape].geojson; }

/* True where `value` is `depth` arrays around pairs of numbers. */
static bool coordinates_fit(cw_value value, int depth) {
  if (value.kind != CW_VALUE_ARRAY) return false;
  size_t len = cw_value_len(value);
  if (depth == 1) {
    return len == 2 && cwi_db_is_number(cw_value_array_get(value, 0)) &&
           cwi_db_is_number(cw_value_array_get(value, 1));
  }
  for (size_t i = 0; i < len; i++) {
    if (!coordinates_fit(cw_value_array_get(value, i), depth - 1)) return false;
  }
  return len > 0;
}

/* Copies nested arrays with every number as a float. */
static cw_status copy_floats(cw_value value, cw_value *out, cw_error *err) {
  if (value.kind != CW_VALUE_ARRAY) {
    *out = cwi_value_float(cwi_db_number_as_float(value));
    return CW_OK;
  }
  cw_value array;
  cw_status status = cw_value_array(cw_value_len(value), &array, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(value); i++) {
    cw_value item;
    status = copy_floats(cw_value_array_get(value, i), &item, err);
    if (status == CW_OK) status = cw_value_array_push(&array, item, err);
  }
  if (status != CW_OK) cwi_value_drop(array);
  *out = status == CW_OK ? array : cwi_value_none();
  return status;
}

cw_status cwi_db_value_geometry(cwi_db_shape shape, cw_value coordinates, cw_value *out,
                                cw_error *err) {
  *out = cwi_value_none();
  bool fits = shape == CWI_DB_COLLECTION ? coordinates.kind == CW_VALUE_ARRAY
                                         : coordinates_fit(coordinates, shapes[shape].depth);
  for (size_t i = 0; fits && shape == CWI_DB_COLLECTION && i < cw_value_len(coordinates); i++) {
    fits = cwi_db_kind_of(cw_value_array_get(coordinates, i)) == CWI_DB_GEOMETRY;
  }
  cw_status status = CW_OK;
  if (!fits) {
    status = CWI_RAISE(err, CW_E_TYPE, 0, "coordinates do not fit a %s", shapes[shape].geojson);
  } else if (shape == CWI_DB_COLLECTION) {
    return cwi_db_value_geometry_checked(shape, coordinates, out, err);
  } else {
    cw_value floats;
    status = copy_floats(coordinates, &floats, err);
    if (status == CW_OK) status = cwi_db_value_geometry_checked(shape, floats, out, err);
  }
  cwi_value_drop(coordinates);
  return status;
}

cw_status cwi_db_value_point(double x, double y, cw_value *out, cw_error *err) {
  cw_value pair;
  *out = cwi_value_none();
  cw_status status = cw_value_array(2, &pair, err);
  if (status == CW_OK) status = cw_value_array_push(&pair, cwi_value_float(x), err);
  if (status == CW_OK) status = cw_value_array_push(&pair, cwi_value_float(y), err);
  if (status != CW_OK) {
    cwi_value_drop(pair);
    return status;
  }
  return cwi_db_value_geometry_checked(CWI_DB_POINT, pair, out, err);
}

static cw_status collection_from(cw_value list, cw_value *out, cw_error *err) {
  cw_value array;
  cw_status status = cw_value_array(cw_value_len(list), &array, err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(list); i++) {
    cw_value item = cw_value_array_get(list, i);
    cw_value part = cwi_value_none();
    if (cwi_db_kind_of(item) == CWI_DB_GEOMETRY) {
      part = cwi_value_retain(item);
    } else if (item.kind == CW_VALUE_OBJECT) {
      status = cwi_db_geometry_from_object(item, &part, err);
    }
    if (status == CW_OK && part.kind == CW_VALUE_NONE) {
      cwi_value_drop(array);
      return CW_OK;
    }
    if (status == CW_OK) status = cw_value_array_push(&array, part, err);
  }
  if (status == CW_OK) return cwi_db_value_geometry_checked(CWI_DB_COLLECTION, array, out, err);
  cwi_value_drop(array);
  return status;
}

cw_status cwi_db_geometry_from_object(cw_value object, cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  if (object.kind != CW_VALUE_OBJECT || cw_value_len(object) != 2) return CW_OK;
  cw_value type = cw_value_object_get(object, "type", 4);
  if (type.kind != CW_VALUE_STRING) return CW_OK;
  const char *name = cwi_value_string_ptr(type)->text;
  for (size_t shape = 0; shape < CWI_ARRAY_LEN(shapes); shape++) {
    if (strcmp(name, shapes[shape].geojson) != 0) continue;
    if (shape == CWI_DB_COLLECTION) {
      cw_value list = cw_value_object_get(object, "geometries", 10);
      return list.kind == CW_VALUE_ARRAY ? collection_from(list, out, err) : CW_OK;
    }
    cw_value coordinates = cw_value_object_get(object, "coordinates", 11);
    if (!coordinates_fit(coordinates, shapes[shape].depth)) return CW_OK;
    return cwi_db_value_geometry((cwi_db_shape)shape, cwi_value_retain(coordinates), out, err);
  }
  return CW_OK;
}

cw_status cwi_db_geometry_to_object(cw_value geometry, cw_value *out, cw_error *err) {
  cwi_db_shape shape = cwi_db_geometry_shape(geometry);
  cw_value coordinates = cwi_db_geometry_coordinates(geometry);
  cw_value object;
  cw_value list = cwi_value_none();
  cw_value name = cwi_value_none();
  *out = cwi_value_none();
  cw_status status = cw_value_object(&object, err);
  if (status == CW_OK) {
    status = cw_value_string(shapes[shape].geojson, strlen(shapes[shape].geojson), &name, err);
  }
  if (status == CW_OK) status = cw_value_object_set(&object, "type", 4, name, err);
  if (status == CW_OK && shape != CWI_DB_COLLECTION) {
    status = cw_value_object_set(&object, "coordinates", 11, cwi_value_retain(coordinates), err);
  } else if (status == CW_OK) {
    status = cw_value_array(cw_value_len(coordinates), &list, err);
    for (size_t i = 0; status == CW_OK && i < cw_value_len(coordinates); i++) {
      cw_value part;
      status = cwi_db_geometry_to_object(cw_value_array_get(coordinates, i), &part, err);
      if (status == CW_OK) status = cw_value_array_push(&list, part, err);
    }
    if (status == CW_OK) {
      status = cw_value_object_set(&object, "geometries", 10, list, err);
      list = cwi_value_none();
    }
  }
  cwi_value_drop(list);
  if (status != CW_OK) {
    cwi_value_drop(object);
    return status;
  }
  *out = object;
  return CW_OK;
}
