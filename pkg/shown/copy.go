package shown

import "reflect"

// Copy returns a deep copy of v in which every string, also in a map's keys, is
// a [Text]. Fields that are not exported are copied as they are.
func Copy[T any](v T) T {
	return copied(reflect.ValueOf(&v)).Elem().Interface().(T)
}

func copied(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.String:
		return reflect.ValueOf(Text(v.String())).Convert(v.Type())
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		to := reflect.New(v.Type().Elem())
		to.Elem().Set(copied(v.Elem()))
		return to
	case reflect.Interface:
		if v.IsNil() {
			return v
		}
		return copied(v.Elem())
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		to := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			to.Index(i).Set(copied(v.Index(i)))
		}
		return to
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		to := reflect.MakeMapWithSize(v.Type(), v.Len())
		for key, value := range v.Seq2() {
			to.SetMapIndex(copied(key), copied(value))
		}
		return to
	case reflect.Struct:
		to := reflect.New(v.Type()).Elem()
		to.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				to.Field(i).Set(copied(v.Field(i)))
			}
		}
		return to
	}
	return v
}
