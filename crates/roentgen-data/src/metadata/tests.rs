//! Label files of all kinds, and what is refused in them.

use super::cells::{Fault, parse_age, whole_number};
use super::*;

const V2020: &str = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,\
                     View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]\n";
const V2017: &str = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,\
                     View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n";

fn read(text: &str) -> Result<LabelFile, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Data_Entry_2017.csv");
    std::fs::write(&path, text).unwrap();
    LabelFile::read(&path)
}

#[test]
fn both_headers_are_read() {
    let old = read(&format!("{V2017}a.png,Mass|Nodule,2,7,058Y,M,PA,2682,2749,0.143,0.143,\n"));
    let new = read(&format!("{V2020}a.png,Mass|Nodule,2,7,58,M,PA,2682,2749,0.143,0.143\n"));

    assert_eq!(old.unwrap().films, new.unwrap().films);
}

#[test]
fn the_file_as_the_nih_has_it_says_sex_where_its_copies_say_gender() {
    let row = "a.png,Mass,2,7,58,F,PA,2682,2749,0.143,0.143\n";
    let copy = read(&format!("{V2020}{row}")).unwrap();
    let original = read(&format!("{}{row}", V2020.replace("Gender", "Sex"))).unwrap();

    assert_eq!(original.films, copy.films);
    assert_eq!(original.films[0].sex, "F");
}

#[test]
fn ages_above_one_hundred_and_in_months_are_read() {
    assert_eq!(parse_age("414"), Ok(Some(414)));
    assert_eq!(parse_age("155Y"), Ok(Some(155)));
    assert_eq!(parse_age("011M"), Ok(Some(0)));
    assert_eq!(parse_age("058y"), Ok(Some(58)));
    assert_eq!(parse_age(""), Ok(None));
    assert_eq!(parse_age("28.0"), Ok(Some(28)));
    assert_eq!(parse_age("old"), Err(Fault::NotANumber));
    assert_eq!(parse_age("Y"), Err(Fault::NotANumber));
    assert_eq!(parse_age("-1"), Err(Fault::OutOfRange));
}

#[test]
fn a_missing_column_is_named_with_those_found() {
    let error = read("Image Index,Finding Labels\na.png,Mass\n").unwrap_err().to_string();

    assert!(error.contains("no column `Follow-up #`"), "{error}");
    assert!(error.contains("Image Index, Finding Labels"), "{error}");
}

#[test]
fn a_duplicate_film_is_named_with_both_lines() {
    let row = "a.png,Mass,0,7,58,M,PA,1,1,1,1\n";
    let error = read(&format!("{V2020}{row}b.png,Mass,0,7,58,M,PA,1,1,1,1\n{row}")).unwrap_err();

    assert!(matches!(error, Error::Duplicate { first: 2, line: 4, .. }), "{error}");
}

#[test]
fn an_unknown_finding_is_named_with_its_line() {
    let error = read(&format!("{V2020}a.png,Mas,0,7,58,M,PA,1,1,1,1\n")).unwrap_err();

    assert!(matches!(&error, Error::Finding { line: 2, source, .. } if source.0 == "Mas"));
}

#[test]
fn an_empty_file_is_refused() {
    assert!(matches!(read(V2020), Err(Error::Empty { .. })));
    assert!(matches!(read(""), Err(Error::Column { .. })));
}

#[test]
fn a_file_that_is_not_utf8_is_an_error_and_not_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Data_Entry_2017.csv");
    let mut bytes = V2020.as_bytes().to_vec();
    bytes.extend_from_slice(b"a\xff.png,Mass,0,7,58,M,PA,1,1,1,1\n");
    std::fs::write(&path, bytes).unwrap();

    assert!(matches!(LabelFile::read(&path), Err(Error::Read { .. })));
}

#[test]
fn whole_numbers_are_read_as_pandas_writes_them_and_others_say_why_not() {
    for (text, number) in [
        ("28", Ok(28)),
        ("28.0", Ok(28)),
        ("007.000", Ok(7)),
        ("0.0", Ok(0)),
        ("-0.0", Ok(0)),
        ("4294967295.0", Ok(u32::MAX)),
        ("4294967296", Err(Fault::OutOfRange)),
        ("99000000000001", Err(Fault::OutOfRange)),
        ("-1", Err(Fault::OutOfRange)),
        ("-1.0", Err(Fault::OutOfRange)),
        ("28.5", Err(Fault::NotANumber)),
        ("28.", Err(Fault::NotANumber)),
        (".0", Err(Fault::NotANumber)),
        ("-", Err(Fault::NotANumber)),
        ("nan", Err(Fault::NotANumber)),
        ("2,8", Err(Fault::NotANumber)),
        ("", Err(Fault::Empty)),
    ] {
        assert_eq!(whole_number(text), number, "{text:?}");
    }
}

#[test]
fn a_table_that_went_through_pandas_is_the_same_table() {
    let plain = read(&format!("{V2020}a.png,Mass,2,7,58,M,PA,1,1,1,1\n")).unwrap();
    let floats = read(&format!(
        ",{}0,a.png,Mass,2.0,7.0,58.0,M,PA,1,1,1,1\n",
        V2020.replace('\n', ",Unnamed: 11\n")
    ));

    assert_eq!(floats.unwrap().films, plain.films);
}

#[test]
fn cleared_rows_are_passed_over_and_a_file_of_nothing_else_is_empty() {
    let row = "a.png,Mass,0,7,58,M,PA,1,1,1,1\n";
    let films = read(&format!("{V2020},,,,,,,,,,\n{row} , ,,,,,,,,,\n,,,,,,,,,,\n")).unwrap();

    assert_eq!(films.films.len(), 1);
    assert!(matches!(read(&format!("{V2020},,,,,,,,,,\n")), Err(Error::Empty { .. })));
}

#[test]
fn numbers_out_of_range_are_not_called_no_numbers() {
    for row in ["a.png,Mass,0,99000000000001,58,M,PA\n", "a.png,Mass,-1,7,58,M,PA\n"] {
        let error = read(&format!("{V2020}{row}")).unwrap_err();
        assert!(matches!(error, Error::Range { line: 2, .. }), "{error}");
    }
}

#[test]
fn two_columns_of_one_name_are_refused() {
    let header = V2020.replace("Follow-up #", "Finding Labels,Follow-up #");
    let error = read(&format!("{header}a.png,Mass,Nodule,0,7,58,M,PA\n")).unwrap_err();

    assert!(matches!(error, Error::ColumnTwice { column: "Finding Labels", .. }), "{error}");
}

#[test]
fn no_finding_beside_a_finding_is_a_contradiction() {
    for labels in ["No Finding|Effusion", "Mass|No Finding", "Mass | No Finding"] {
        let error = read(&format!("{V2020}a.png,{labels},0,7,58,M,PA\n")).unwrap_err();
        assert!(matches!(error, Error::Contradiction { line: 2, .. }), "{error}");
    }
    let error = read(&format!("{V2020}a.png,,0,7,58,M,PA\n")).unwrap_err().to_string();
    assert!(error.contains("is empty on line 2") && error.contains("`No Finding`"), "{error}");
    let error = read(&format!("{V2020},Mass,0,7,58,M,PA\n")).unwrap_err().to_string();
    assert!(error.contains("`Image Index` is empty"), "{error}");
}

#[test]
fn other_separators_and_encodings_are_named() {
    let row = "a.png,Mass,0,7,58,M,PA\n";
    let semicolons = read(&format!("{V2020}{row}").replace(',', ";")).unwrap_err().to_string();
    let tabs = read(&format!("{V2020}{row}").replace(',', "\t")).unwrap_err().to_string();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Data_Entry_2017.csv");
    let text = format!("\u{feff}{V2020}{row}");
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(&path, bytes).unwrap();

    assert!(semicolons.contains("semicolons"), "{semicolons}");
    assert!(tabs.contains("tabs"), "{tabs}");
    assert!(matches!(LabelFile::read(&path), Err(Error::Utf16 { .. })));
}

#[test]
fn a_header_of_very_many_columns_is_read_at_once_and_not_repeated_in_full() {
    let many: String = (0..200_000).map(|column| format!("column {column},")).collect();
    let start = std::time::Instant::now();
    let error = read(&format!("{many}\n")).unwrap_err().to_string();
    let films = read(&format!("{many}{V2020}{}a.png,Mass,0,7,58,M,PA\n", ",".repeat(200_000)));

    assert!(error.len() < 2000, "{}", error.len());
    assert_eq!(films.unwrap().films.len(), 1);
    assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
}

#[cfg(unix)]
#[test]
fn a_device_or_a_folder_is_no_label_file() {
    let folder = tempfile::tempdir().unwrap();

    assert!(matches!(LabelFile::read(Path::new("/dev/zero")), Err(Error::Read { .. })));
    assert!(matches!(LabelFile::read(folder.path()), Err(Error::Read { .. })));
}

#[test]
fn a_row_that_was_cut_off_is_refused_and_never_half_a_number() {
    let row = "a.png,Mass,0,12345,58,M,PA,2682,2749,0.143,0.143\n";
    let other = row.replacen('a', "b", 1);
    let whole = format!("{V2020}{row}{other}");
    assert_eq!(read(&whole).unwrap().films.len(), 2);
    assert_eq!(read(whole.trim_end()).unwrap().films.len(), 2);

    // In the patient, after it, in the age, in the view, and after the view.
    for end in ["45,58", ",58,M", "8,M,PA", "A,2682", ",2682"] {
        let at = whole.rfind(end).unwrap();
        let error = read(&whole[..at]).unwrap_err();
        assert!(matches!(error, Error::Cut { line: 3, .. }), "{end}: {error}");
    }
    // A row in the middle too, of which nothing says where it ended.
    let error = read(&format!("{V2020}c.png,Mass,0,12\n{row}")).unwrap_err();
    assert!(matches!(error, Error::Cut { line: 2, .. }), "{error}");
}
